"""The distinct tags of a batch as keys: two encodings of one unit are one tag."""

from collections.abc import Sequence

import numpy as np

from lotstream.schemas.identifiers.epc import sgtin96_keys
from lotstream.schemas.identifiers.errors import IdentifierInvalid
from lotstream.schemas.identifiers.tag import tag_key
from lotstream.schemas.partitions import tag_partition
from lotstream.streams.smooth.pieces import Labels

LONGEST = 200_000  # texts remembered


class LabelCache:
    """Tag texts already understood, and where the sightings of each key go."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._keys: dict[str, str] = {}
        self._partition: dict[str, int] = {}

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
        known = self._keys
        keys = [known.get(text) for text in texts]
        refused: list[tuple[int, IdentifierInvalid]] = []
        if None in keys:
            refused = self._learn([text for text, key in zip(texts, keys, strict=True) if key is None], texts)
            keys = [known.get(text) for text in texts]
        scanned = any("/" in text for text in texts)
        if None not in keys and len(set(keys)) == len(keys):
            marks = frozenset(i for i, text in enumerate(texts) if "/" in text) if scanned else frozenset()
            return Labels(tuple(key for key in keys if key is not None), marks, None, None), refused
        distinct = {key: i for i, key in enumerate(dict.fromkeys(key for key in keys if key is not None))}
        marks = frozenset(
            distinct[key] for text, key in zip(texts, keys, strict=True) if key is not None and "/" in text
        )
        key_of = np.array([0 if key is None else distinct[key] for key in keys], np.int64)
        kept = np.array([key is not None for key in keys], np.bool_) if refused else None
        return Labels(tuple(distinct), marks, key_of, kept), refused

    def _learn(self, texts: list[str], batch: Sequence[str]) -> list[tuple[int, IdentifierInvalid]]:
        if len(self._keys) + len(texts) > LONGEST:
            self._keys.clear()
            texts = list(batch)
        try:
            keys = sgtin96_keys(texts)
        except IdentifierInvalid:  # one of them is no EPC: a label's key, or no identifier at all
            return self._learn_each(texts, batch)
        self._keys.update(zip(texts, keys, strict=True))
        return []

    def _learn_each(self, texts: list[str], batch: Sequence[str]) -> list[tuple[int, IdentifierInvalid]]:
        refused = []
        for text in texts:
            try:
                self._keys[text] = tag_key(text)
            except IdentifierInvalid as reason:
                refused.append((batch.index(text), reason))
        return refused
