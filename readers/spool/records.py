"""The records of a spool file: what one request left behind, found whole or not at all.

record = mark (4 bytes), length of the body (u32), instant of receipt (u64, us), CRC-32 (u32) of the rest, body;
body = its messages: lengths of topic, key, headers and value, the partition, then their bytes. Little-endian.
A record that is cut, or of which one bit has changed, is no record; the next one is found by its mark.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lotstream.readers.messages import Message
from lotstream.schemas.operations import Headers

MARK = b"\xf5LS1"
_HEAD = struct.Struct("<4sIQI")
_MESSAGE = struct.Struct("<HIHII")  # topic, partition, key, headers, value
_HEADER = struct.Struct("<HI")  # name, value


@dataclass(frozen=True, slots=True)
class Record:
    """All messages of one request that is acknowledged with them; ``kept_us`` is when."""

    kept_us: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A record in a file, and the offset behind it. ``skipped`` bytes before it were no record."""

    record: Record
    end: int
    skipped: int = 0


def encode(record: Record) -> bytes:
    """The record's bytes."""
    body = b"".join(map(_encode_message, record.messages))
    head = _HEAD.pack(MARK, len(body), record.kept_us, 0)[:-4]
    return head + zlib.crc32(body, zlib.crc32(head)).to_bytes(4, "little") + body


def records_in(data: bytes, start: int = 0) -> Iterator[Found]:
    """Every whole record from ``start`` on, in order; what is between them is skipped."""
    at = start
    while (found := _find(data, at)) is not None:
        begin, record, end = found
        yield Found(record, end, skipped=begin - at)
        at = end


def _find(data: bytes, at: int) -> tuple[int, Record, int] | None:
    begin = data.find(MARK, at)
    while begin >= 0:
        decoded = _decode(data, begin)
        if decoded is not None:
            return begin, *decoded
        begin = data.find(MARK, begin + 1)
    return None


def _decode(data: bytes, begin: int) -> tuple[Record, int] | None:
    body = begin + _HEAD.size
    if body > len(data):
        return None
    _, length, kept_us, crc = _HEAD.unpack_from(data, begin)
    end = body + length
    view = memoryview(data)
    if end > len(data) or zlib.crc32(view[body:end], zlib.crc32(view[begin : body - 4])) != crc:
        return None
    return Record(kept_us, tuple(_messages(data, body, end=end))), end


def _encode_message(message: Message) -> bytes:
    topic = message.topic.encode()
    headers = b"".join(
        _HEADER.pack(len(raw := name.encode()), len(value)) + raw + value for name, value in message.headers
    )
    sizes = _MESSAGE.pack(len(topic), message.partition, len(message.key), len(headers), len(message.value))
    return b"".join((sizes, topic, message.key, headers, message.value))


def _messages(data: bytes, at: int, *, end: int) -> Iterator[Message]:
    while at < end:
        *sizes, value_size = _MESSAGE.unpack_from(data, at)
        topic_size, partition, key_size, headers_size = sizes
        at += _MESSAGE.size
        topic, at = data[at : at + topic_size], at + topic_size
        key, at = data[at : at + key_size], at + key_size
        headers, at = data[at : at + headers_size], at + headers_size
        value, at = data[at : at + value_size], at + value_size
        yield Message(topic.decode(), partition, key, value, _headers(headers))


def _headers(data: bytes) -> Headers:
    found: list[tuple[str, bytes]] = []
    at = 0
    while at < len(data):
        name_size, value_size = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        name, at = data[at : at + name_size], at + name_size
        found.append((name.decode(), data[at : at + value_size]))
        at += value_size
    return tuple(found)


def size_of(messages: Sequence[Message]) -> int:
    """Bytes of values: what sending them costs."""
    return sum(len(message.value) for message in messages)
