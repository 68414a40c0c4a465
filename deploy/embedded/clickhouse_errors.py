"""ClickHouse's error codes as its HTTP interface shows them."""

import re
from enum import IntEnum
from http import HTTPStatus


class Code(IntEnum):
    """The codes that the front itself raises; the engine's own pass through as numbers."""

    BAD_ARGUMENTS = 36
    NOT_IMPLEMENTED = 48
    SYNTAX_ERROR = 62
    READONLY = 164
    TOO_MANY_SIMULTANEOUS_QUERIES = 202
    SOCKET_TIMEOUT = 209
    SUPPORT_IS_DISABLED = 344
    NOT_ENOUGH_SPACE = 243
    SESSION_NOT_FOUND = 372
    SESSION_IS_LOCKED = 373
    INVALID_SESSION_TIMEOUT = 374
    HTTP_LENGTH_REQUIRED = 381
    CANNOT_DECOMPRESS = 271
    QUERY_IS_TOO_LARGE = 425
    ACCESS_DENIED = 497
    UNKNOWN_ROLE = 511
    AUTHENTICATION_FAILED = 516
    SHUTTING_DOWN = 745
    UNKNOWN_EXCEPTION = 1002


class ClickHouseError(Exception):
    """A refusal in ClickHouse's words: `code` and the whole text 'Code: N. DB::Exception: …'."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def refuse(code: Code, message: str) -> ClickHouseError:
    """An error of the front, worded as the server words its own."""
    return ClickHouseError(code, f"Code: {code.value}. DB::Exception: {message} ({code.name})")


_PREFIX = re.compile(r"Code: (\d+)\. DB::Exception: ")
_SUFFIX = re.compile(r"(?: \([A-Z0-9_]+\))?(?: \(version [^()]*(?:\([^()]*\))?\))?\.?\s*$")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)\s*$")


def parse_error(message: str, *, version: str) -> ClickHouseError:
    """The engine's message, with the wrappings that it repeats around itself taken off."""
    begin = _PREFIX.search(message)
    if begin is None:
        code = Code.UNKNOWN_EXCEPTION
        text = message.strip() or "the engine gave no reason"
        return ClickHouseError(code, f"Code: {code.value}. DB::Exception: {text} ({code.name}) (version {version})")
    body = message[begin.start() :].strip()
    names = _NAME.findall(body)
    number = begin.group(1)
    depth = 0
    while (match := _PREFIX.match(body)) and match.group(1) == number:
        body, depth = body[match.end() :], depth + 1
    for _ in range(depth):
        body = _SUFFIX.sub("", body)
    name = f" ({names[-1]})" if names else ""
    return ClickHouseError(int(number), f"Code: {number}. DB::Exception: {body}{name} (version {version})")


_BAD_REQUEST = frozenset(
    [6, 10, 25, 26, 27, 36, 38, 41, 44, 50, 53, 62, 69, 72, 117, 167, 168, 170, 223, 271, 374, 427, 441, 675, 676]
)
_NOT_FOUND = frozenset([46, 47, 50, 56, 60, 63, 73, 81, 115, 178, 220, 336, 511])
_STATUS = {
    194: HTTPStatus.UNAUTHORIZED,
    192: HTTPStatus.FORBIDDEN,
    193: HTTPStatus.FORBIDDEN,
    497: HTTPStatus.FORBIDDEN,
    516: HTTPStatus.FORBIDDEN,
    48: HTTPStatus.NOT_IMPLEMENTED,
    76: HTTPStatus.SERVICE_UNAVAILABLE,
    209: HTTPStatus.SERVICE_UNAVAILABLE,
    439: HTTPStatus.SERVICE_UNAVAILABLE,
    159: HTTPStatus.REQUEST_TIMEOUT,
    381: HTTPStatus.LENGTH_REQUIRED,
    425: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    202: HTTPStatus.TOO_MANY_REQUESTS,
    745: HTTPStatus.SERVICE_UNAVAILABLE,
}


def http_status(code: int) -> HTTPStatus:
    """The status that goes with a code, as the server's table has it.

    One is ours: TOO_MANY_SIMULTANEOUS_QUERIES answers 429 instead of 500, since clients retry that.
    """
    if code in _STATUS:
        return _STATUS[code]
    if code in _NOT_FOUND:
        return HTTPStatus.NOT_FOUND
    if code in _BAD_REQUEST:
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.INTERNAL_SERVER_ERROR
