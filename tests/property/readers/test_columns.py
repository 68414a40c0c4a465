"""Columns of a payload, against the same items sent alone."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotstream.readers.formats import impinj, zebra
from lotstream.readers.formats.items import Parsed

Values = st.SearchStrategy[Any]
WORDS: Values = st.sampled_from(
    ["3074257BF7194E4000001A85", "30ab", "", "ABC", "no tag", "é0", "A" * 402, None, 7, [], {}]
)
CODES: Values = st.sampled_from(["MHQl", "====", None, 7])
TIMES: Values = st.sampled_from(
    ["2026-11-23T10:11:12Z", "2026-11-23T10:11Z", "2026-11-23T10:11:12", "1969-01-01T00:00:00Z", "soon", None, 5, []]
)
NUMBERS: Values = st.sampled_from([0, 1, 255, 256, -1, -5_000, 10_000_001, 2**60, 1.5, -60.25, True, None, "1", []])
TEXTS: Values = st.sampled_from(["r1", "r2", "", "x" * 201, None, 3, {}])
_IMPINJ = {
    "epcHex": WORDS,
    "epc": CODES,
    "tidHex": WORDS,
    "pcHex": st.sampled_from(["3000", "30", "", None, 1]),
    "lastSeenTime": TIMES,
    **dict.fromkeys(("antennaPort", "peakRssiCdbm", "phaseAngle", "frequency", "transmitPowerCdbm"), NUMBERS),
}
_ZEBRA = {
    "TID": WORDS,
    "PC": st.sampled_from(["3000", "30", "", None, 1]),
    "MAC": TEXTS,
    **dict.fromkeys(("antenna", "reads", "peakRssi", "phase", "channel"), NUMBERS),
}
IMPINJ = st.fixed_dictionaries(
    {"eventType": st.just("tagInventory"), "tagInventoryEvent": st.fixed_dictionaries({}, optional=_IMPINJ)},
    optional={"timestamp": TIMES, "hostname": TEXTS},
)
ZEBRA = st.fixed_dictionaries(
    {"type": st.just("SIMPLE"), "data": st.fixed_dictionaries({"idHex": WORDS}, optional=_ZEBRA)},
    optional={"timestamp": TIMES},
)


@pytest.mark.parametrize(("parse", "item"), [(impinj.parse, IMPINJ), (zebra.parse, ZEBRA)], ids=["impinj", "zebra"])
def test_a_read_means_the_same_among_others(parse: Callable[[bytes], Parsed], item: st.SearchStrategy[Any]) -> None:
    """Every item of a payload gives the read, or the reason, field, detail and bytes, that it gives alone."""

    @given(st.lists(item, min_size=1, max_size=12))
    def holds(sent: list[Any]) -> None:
        together = parse(orjson.dumps(sent))
        reads = dict(zip(together.at, together.reads, strict=True))
        refused = {one.index: one for one in together.refused}
        assert reads.keys() | refused.keys() == set(range(len(sent)))
        for index, one in enumerate(sent):
            alone = parse(orjson.dumps([one]))
            assert alone.reads == ([reads[index]] if index in reads else [])
            assert [_said(why) for why in alone.refused] == ([_said(refused[index])] if index in refused else [])

    holds()


def _said(refused: Any) -> tuple[Any, ...]:
    return refused.raw, refused.reason, refused.detail, refused.field, refused.reader
