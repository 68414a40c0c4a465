"""Just enough of ClickHouse's lexer to tell where a statement's words are: never what they mean.

Three questions are asked of a query before the engine sees it: which format it names, where the data of an INSERT
begin, and whether it would read or write files of the machine behind the engine's own access rights.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lotstream.deploy.embedded.clickhouse_errors import Code, refuse

_TOKEN = re.compile(
    rb"""(?P<skip>(?:[\s\x00\xa0]|\xc2\xa0|\xe3\x80\x80|--[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)+)
    |(?P<string>'(?:[^'\\]|\\.|'')*'|\xe2\x80\x98.*?\xe2\x80\x99|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|\xe2\x80\x9c.*?\xe2\x80\x9d)
    |(?P<word>[A-Za-z_][A-Za-z0-9_$]*)
    |(?P<number>[0-9][A-Za-z0-9_.]*)
    |(?P<other>.)""",
    re.S | re.X,
)
_READING = frozenset(
    [b"select", b"with", b"show", b"describe", b"desc", b"exists", b"explain", b"check", b"(", b"from"]
)
_SELECTING = frozenset([b"select", b"with", b"(", b"from"])
_CLAUSES = frozenset([b"settings", b"format", b"values", b"select", b"with", b"from", b"watch"])
_BEFORE_NAME = frozenset([b".", b"into", b"table", b"exists", b"view"])
_NO_NAMES = frozenset([b"=", b"in", b"not", b"like", b"ilike", b"global", b"engine"])
_SUSPECT = re.compile(rb"file|executable|python", re.I)
_MAKING = frozenset([b"create", b"attach", b"replace", b"alter"])
_FILE_FUNCTIONS = frozenset([b"file", b"executable", b"python", b"filecluster"])
_ENGINES = frozenset(b"memory log tinylog stripelog null set join buffer merge generaterandom view atomic".split())


@dataclass(frozen=True, slots=True)
class Token:
    """A word, quoted name, string or sign of a query: `text` as written, words in lower case."""

    kind: str
    text: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What a query text says before anyone knows what it means.

    `verb` is its first word in lower case. `format` is the format it names itself, None when it names none;
    `format_at` is where that FORMAT begins.
    """

    verb: str
    format: str | None = None
    format_at: int | None = None

    @property
    def selects(self) -> bool:
        """Whether its answer can be streamed."""
        return self.verb.encode() in _SELECTING

    @property
    def reads(self) -> bool:
        return self.verb.encode() in _READING


@dataclass(frozen=True, slots=True)
class Insertion:
    """An INSERT whose data follow its text: `target` is what stands before its SETTINGS and FORMAT.

    `data` is the offset of the first byte of the data.
    """

    target: bytes
    settings: bytes
    format: str
    data: int

    def from_file(self, path: str) -> bytes:
        """The same INSERT with its data in a file."""
        return b"%s FROM INFILE '%s' %s FORMAT %s" % (self.target, path.encode(), self.settings, self.format.encode())


def lex(text: bytes) -> Iterator[Token]:
    """The tokens of a query, comments and white space left out."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "skip":
            continue
        if kind == "tag":
            kind = "string"
        word = match.group().lower() if kind == "word" else match.group()
        yield Token(kind, word, match.start(), match.end())


def first_word(text: bytes) -> str:
    """The verb of a query, in lower case; '' when there is none."""
    token = next(lex(text), None)
    return "" if token is None else token.text.decode("utf-8", "replace")


def parse_statement(text: bytes) -> Statement:
    """Look at a whole query. Raises ClickHouseError for what would touch the machine's files."""
    verb = first_word(text)
    if not verb:
        raise refuse(Code.SYNTAX_ERROR, "Expected a query, got an empty request.")
    refuse_files(text)
    if verb == "insert":
        _refuse_input(text)
        return Statement(verb)
    name, begin = _own_format(text)
    return Statement(verb, format=name, format_at=begin)


def parse_insertion(text: bytes) -> Insertion | None:
    """An INSERT that brings its data along, by what is known of its text; None for any other.

    Raises ClickHouseError.
    """
    tokens = lex(text)
    if (first := next(tokens, None)) is None or first.text != b"insert":
        return None
    depth, settings_at, previous = 0, None, first
    for token in tokens:
        depth += _nesting(token.text)
        named, previous = previous.text in _BEFORE_NAME, token
        if depth or named or token.kind != "word" or token.text not in _CLAUSES:
            continue
        if token.text == b"settings":
            settings_at = token.start
            continue
        if token.text == b"values":
            return _insertion(text, settings_at, token, "Values", token.end)
        if token.text != b"format":
            return None
        name = next(tokens, None)
        if name is None or name.kind != "word":
            raise refuse(Code.SYNTAX_ERROR, "Expected the name of a format after FORMAT, got none.")
        return _insertion(text, settings_at, token, text[name.start : name.end].decode(), _data_start(text, name.end))
    return None


def _insertion(text: bytes, settings_at: int | None, clause: Token, name: str, data: int) -> Insertion:
    end = clause.start if settings_at is None else settings_at
    refuse_files(text[: clause.start])
    settings = b"" if settings_at is None else text[settings_at : clause.start]
    # The line end closes a comment that may stand before the clause.
    return Insertion(text[:end] + b"\n", settings + b"\n", name, data)


def _refuse_input(text: bytes) -> None:
    previous = None
    for token in lex(text) if b"input" in text.lower() else ():
        if token.text == b"(" and previous is not None and previous.text == b"input":
            message = "INSERT ... SELECT FROM input() is not supported here: insert into a temporary table first."
            raise refuse(Code.NOT_IMPLEMENTED, message)
        previous = token


def _nesting(text: bytes) -> int:
    return (text in (b"(", b"[", b"{")) - (text in (b")", b"]", b"}"))


def _data_start(text: bytes, end: int) -> int:
    """Data begin after the line of FORMAT; on the same line, after the blanks: binary data may begin with a newline."""
    while end < len(text) and text[end : end + 1] in (b" ", b"\t", b"\f"):
        end += 1
    for sign in (b";", b"\r", b"\n"):
        if text[end : end + 1] == sign:
            end += 1
    return end


def _own_format(text: bytes) -> tuple[str | None, int | None]:
    """The format in a closing `FORMAT name`, which SETTINGS may follow, and where it begins."""
    found: tuple[str | None, int | None] = (None, None)
    if b"format" not in text.lower():
        return found
    depth, previous = 0, None
    for token in lex(text):
        depth += _nesting(token.text)
        if token.kind == "word" and not depth and previous is not None and previous.text == b"format":
            found = (text[token.start : token.end].decode(), previous.start)
        previous = token
    return found


def into_file(text: bytes, statement: Statement, path: str) -> bytes:
    """The same query with its answer in the file `path`, in the format that it names or else is given apart."""
    last = None
    for token in lex(text):
        last = token if token.text != b";" else last
    assert last is not None
    end = last.end if statement.format_at is None else statement.format_at
    return b"%s\nINTO OUTFILE '%s' APPEND %s" % (text[:end], path.encode(), text[end : last.end])


def refuse_files(text: bytes) -> None:
    """Refuse what the engine's access rights do not cover: INTO OUTFILE, FROM INFILE, file(), some table engines.

    The sandbox holds where this look is fooled; a clear answer is better than a permission error of the engine.
    """
    if first_word(text).encode() in _MAKING:
        _refuse_engines(text)
    if not _SUSPECT.search(text):
        return
    earlier, previous = b"", b""
    for name, after in _names(text):
        if name in (b"outfile", b"infile") and previous in (b"into", b"from"):
            raise refuse(Code.SUPPORT_IS_DISABLED, f"{name.decode().upper()} is not allowed over HTTP.")
        called = name in _FILE_FUNCTIONS and after == b"(" and previous not in _BEFORE_NAME
        if called or (name == b"file" and _applied(earlier, previous)):
            raise refuse(Code.ACCESS_DENIED, "Not enough privileges. The server's files and commands are its own.")
        earlier, previous = previous, name


def _refuse_engines(text: bytes) -> None:
    """Refuse tables that keep or find their data elsewhere: ENGINE = name, ENGINE name(...), disk(...)."""
    depth, earlier, previous = 0, b"", b""
    for name, after in _names(text):
        depth += _nesting(name)
        if name == b"select" and not depth:
            return
        chosen = earlier == b"engine" and previous == b"="
        chosen = chosen or (previous == b"engine" and after == b"(" and name not in _NO_NAMES)
        if (chosen and name not in _ENGINES and not name.endswith(b"mergetree")) or (name == b"disk" and after == b"("):
            shown = name.decode("utf-8", "replace")
            raise refuse(Code.ACCESS_DENIED, f"Not enough privileges. ENGINE or DISK {shown} is not allowed here.")
        earlier, previous = previous, name


def _names(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every token as a name in lower case, with the token after it."""
    held: bytes | None = None
    for token in lex(text):
        name = token.text.strip(b'`"').lower() if token.kind == "quoted" else token.text
        if held is not None:
            yield held, name
        held = name
    if held is not None:
        yield held, b""


def _applied(earlier: bytes, previous: bytes) -> bool:
    """Functions can be named where others apply them: APPLY(file), arrayMap(file, paths)."""
    return previous == b"apply" or (previous == b"(" and earlier.startswith((b"apply", b"array", b"map")))
