"""The distinct tags of a batch as keys: two encodings of one unit are one tag."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from lotstream.schemas.identifiers.errors import IdentifierInvalid
from lotstream.schemas.identifiers.tag import tag_key
from lotstream.schemas.partitions import tag_partition
from lotstream.streams.smooth.pieces import Labels

LONGEST = 200_000  # texts remembered
_NOTHING: frozenset[str] = frozenset()
_NOBODY: frozenset[int] = frozenset()


_HEADER = "30"  # SGTIN-96
_DIGITS = 24
_SERIAL_BITS = 38
_SERIAL = (1 << _SERIAL_BITS) - 1
_NEIGHBOURS = 12  # bits that schemas.partitions leaves out of what it hashes: these keys share a partition


class LabelCache:
    """Tag texts already understood, and where the sightings of each key go.

    Of an SGTIN-96 everything but the serial is understood once per item: new serials of known items cost little.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._keys: dict[str, str] = {}
        self._scanned: set[str] = set()
        self._items: dict[int, str] = {}  # bits before the serial -> key before the serial
        self._partition: dict[str, int] = {}
        self._blocks: dict[tuple[str, int], int] = {}

    def partition(self, key: str) -> int:
        """Partition of sightings.v1 of a tag key."""
        number = self._partition.get(key)
        if number is None:
            if len(self._partition) >= LONGEST:
                self._partition.clear()
            number = self._partition[key] = tag_partition(key, self._partitions)
        return number

    def read(self, texts: Sequence[str]) -> tuple[Labels, list[tuple[int, IdentifierInvalid]]]:
        """Keys of the tags of a batch, and (index, reason) of each that has none."""
        keys = list(map(self._keys.get, texts))
        refused = self._learn(texts, keys) if None in keys else []
        scans = self._scanned.intersection(texts) if self._scanned else _NOTHING
        if not refused and len(set(keys)) == len(keys):
            marks = frozenset(i for i, text in enumerate(texts) if text in scans) if scans else _NOBODY
            return Labels(tuple(cast(list[str], keys)), marks, None, None), refused
        distinct = {key: i for i, key in enumerate(dict.fromkeys(key for key in keys if key is not None))}
        marks = frozenset(
            distinct[key] for text, key in zip(texts, keys, strict=True) if key is not None and text in scans
        )
        key_of = np.array([0 if key is None else distinct[key] for key in keys], np.int64)
        kept = np.array([key is not None for key in keys], np.bool_) if refused else None
        return Labels(tuple(distinct), marks, key_of, kept), refused

    def _learn(self, texts: Sequence[str], keys: list[str | None]) -> list[tuple[int, IdentifierInvalid]]:
        """Fill in the keys that are None; (index, reason) of each that stays so."""
        known = self._keys
        if len(known) + len(texts) > LONGEST:
            known.clear()
            self._scanned.intersection_update(texts)
        refused = []
        for i, text in enumerate(texts):
            if keys[i] is not None:
                continue
            try:
                keys[i] = known[text] = self._key(text)
            except IdentifierInvalid as reason:
                refused.append((i, reason))
                continue
            if "/" in text:
                self._scanned.add(text)
        return refused

    def _key(self, text: str) -> str:
        if len(text) != _DIGITS or not text.startswith(_HEADER):
            return tag_key(text)
        word = int(text, 16)
        serial = word & _SERIAL
        item = self._items.get(word >> _SERIAL_BITS)
        if item is None:
            key = tag_key(text)
            item, _, value = key.rpartition("/")
            if item.startswith("01/") and value == str(serial):
                if len(self._items) >= LONGEST:
                    self._items.clear()
                self._items[word >> _SERIAL_BITS] = item + "/"
            return key
        key = f"{item}{serial}"
        block = (item, serial >> _NEIGHBOURS)
        number = self._blocks.get(block)
        if number is None:
            if len(self._blocks) >= LONGEST:
                self._blocks.clear()
            number = self._blocks[block] = tag_partition(key, self._partitions)
        if len(self._partition) >= LONGEST:
            self._partition.clear()
        self._partition[key] = number
        return key
