"""A local store in RocksDB, one database for a stage of a worker. Needs the extra `rocksdb`.

Keys are the number of the partition in two bytes and the changelog's key. Behind the last of them stands a mark: the
form of the copy, the offset that it is whole through, and the id of the topic. RocksDB ends a scan at a damaged block
as if there were no more, so a scan is whole only when it comes to the mark.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rocksdict import Options, Rdict, WriteBatch

from lotstream.streams.engine.store import Contents, StoreFailed

FORM = b"1"
BUFFER_BYTES = 16 << 20
OPEN_FILES = 64
_END = b"\xff"  # above every first byte of a changelog's keys


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong in RocksDB is an Exception of no kind of its own; whatever has one is a bug."""
    try:
        yield
    except Exception as failure:
        if type(failure) is Exception:
            raise StoreFailed(f"Expected a store that works, got: {failure}") from None
        raise


class RockStore:
    """`topic_id` says which topic stands behind the name now, None when nobody knows; it may block."""

    def __init__(self, directory: Path, *, topic_id: Callable[[], str | None]) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise StoreFailed(f"Expected a directory at {str(directory)!r}, got {failure!r}.") from None
        self._ask = topic_id
        self._topic: bytes | None = None
        with _told():
            self._database = Rdict(str(directory), _options())

    def begin(self) -> None:
        found = self._ask()
        self._topic = None if found is None else found.encode()
        if self._topic is None:
            raise StoreFailed("Expected the brokers to tell the id of the topic, got none.")

    def through(self, number: int) -> int | None:
        with _told():
            mark = self._database.get(_key(number, _END))
        if mark is None or mark[:1] != FORM or mark[9:] != self._topic:
            return None
        return int.from_bytes(mark[1:9], "big")

    def items(self, number: int) -> Iterator[tuple[bytes, bytes]]:
        end = _key(number, _END)
        with _told():
            for key, value in self._database.items(from_key=_key(number)):
                assert isinstance(key, bytes)  # as everything in raw mode
                if key == end:
                    return
                yield key[2:], value
        raise StoreFailed(f"Expected the copy of partition {number} to be whole, got a part of it.")

    def write(self, number: int, records: Contents, *, through: int | None) -> None:
        batch = WriteBatch(raw_mode=True)
        for key, value in records:
            if value is None:
                batch.delete(_key(number, key))
            else:
                batch.put(_key(number, key), value)
        if through is None or self._topic is None:
            batch.delete(_key(number, _END))
        else:
            batch.put(_key(number, _END), FORM + through.to_bytes(8, "big") + self._topic)
        with _told():
            self._database.write(batch)

    def clear(self, number: int) -> None:
        with _told():
            self._database.delete_range(_key(number), _key(number + 1))

    def close(self) -> None:
        """Another process may open the directory now."""
        with _told():
            self._database.close()


def _key(number: int, key: bytes = b"") -> bytes:
    return number.to_bytes(2, "big") + key


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(BUFFER_BYTES)
    options.set_max_open_files(OPEN_FILES)
    options.set_keep_log_file_num(1)
    return options
