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
_DATA_WORDS = frozenset([b"format", b"values", b"select", b"with", b"from", b"watch"])
_SUSPECT = re.compile(rb"file|outfile|infile", re.I)


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

    `verb` is its first word in lower case. `format` is the format it names itself, None when it names none. For an
    INSERT that brings data, `head` ends before FORMAT and `data` is the offset of the first byte of the data.
    """

    verb: str
    format: str | None = None
    head: int | None = None
    data: int | None = None

    @property
    def selects(self) -> bool:
        """Whether its answer can be streamed."""
        return self.verb.encode() in _SELECTING

    @property
    def reads(self) -> bool:
        return self.verb.encode() in _READING


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


def parse_statement(text: bytes) -> Statement:
    """Look at a query without its data. Raises ClickHouseError for what would touch the machine's files."""
    tokens = lex(text)
    first = next(tokens, None)
    if first is None:
        raise refuse(Code.SYNTAX_ERROR, "Expected a query, got an empty request.")
    verb = first.text.decode("utf-8", "replace")
    if verb == "insert":
        return _parse_insert(text, tokens)
    refuse_files(text)
    return Statement(verb, format=_own_format(text))


def _parse_insert(text: bytes, tokens: Iterator[Token]) -> Statement:
    depth = 0
    for token in tokens:
        depth += _nesting(token.text)
        if depth or token.kind != "word" or token.text not in _DATA_WORDS:
            continue
        refuse_files(text[: token.end])
        if token.text == b"values":
            return Statement("insert", format="Values")
        if token.text == b"format":
            name = next(tokens, None)
            if name is None or name.kind != "word":
                raise refuse(Code.SYNTAX_ERROR, "Expected the name of a format after FORMAT, got none.")
            written = text[name.start : name.end].decode()
            if written.lower() == "values":
                return Statement("insert", format="Values")
            return Statement("insert", format=written, head=token.start, data=_data_start(text, name.end))
        if token.text == b"from":
            raise refuse(
                Code.SUPPORT_IS_DISABLED, "INSERT ... FROM INFILE reads the server's files: it is not allowed."
            )
        refuse_files(text)
        return Statement("insert")
    refuse_files(text)
    return Statement("insert")


def _nesting(text: bytes) -> int:
    return (text in (b"(", b"[", b"{")) - (text in (b")", b"]", b"}"))


def _data_start(text: bytes, end: int) -> int:
    """Data begin after the line of FORMAT; on the same line, after the blanks: binary data may begin with a newline."""
    while end < len(text) and text[end : end + 1] in (b" ", b"\t", b"\f"):
        end += 1
    if text[end : end + 1] == b";":
        end += 1
    if text[end : end + 1] == b"\r":
        end += 1
    if text[end : end + 1] == b"\n":
        end += 1
    return end


def _own_format(text: bytes) -> str | None:
    """The format in a closing `FORMAT name`, which SETTINGS may follow."""
    if b"format" not in text.lower():
        return None
    found, depth, previous = None, 0, None
    for token in lex(text):
        depth += _nesting(token.text)
        if token.kind == "word" and not depth and previous is not None and previous.text == b"format":
            found = text[token.start : token.end].decode()
        previous = token
    return found


def refuse_files(text: bytes) -> None:
    """Refuse what the engine's access rights do not cover: INTO OUTFILE, FROM INFILE and the function file()."""
    if not _SUSPECT.search(text):
        return
    previous = None
    for token in lex(text):
        if token.text in (b"outfile", b"infile") and previous is not None and previous.text in (b"into", b"from"):
            raise refuse(Code.SUPPORT_IS_DISABLED, f"{token.text.decode().upper()} is not allowed over HTTP.")
        if token.text == b"(" and previous is not None and previous.text.strip(b'`"').lower() == b"file":
            raise refuse(Code.ACCESS_DENIED, "Not enough privileges. Reading the server's files is not allowed.")
        previous = token
