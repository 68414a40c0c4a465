"""Keonn's inventories."""

from lotstream.readers.formats import keonn
from lotstream.schemas.base import NOT_REPORTED


def _inventory(*items: str) -> bytes:
    inner = "".join(f"<item>{item}</item>" for item in items)
    return (
        f"<inventory><type>inventory</type><data><inventory><items>{inner}</items></inventory></data></inventory>"
    ).encode()


def test_both_layouts() -> None:
    """The tag is found in epc and in data/hexepc, its strength in a property."""
    parsed = keonn.parse(
        _inventory(
            "<epc>30aa</epc><ts>1772445600250</ts>",
            "<ts>1772445600251</ts><data><hexepc>30bb</hexepc><props><prop>RSSI:-61</prop></props></data>",
        )
    )
    assert [(read.tag, read.last_us, read.rssi) for read in parsed.reads] == [
        ("30AA", 1_772_445_600_250_000, NOT_REPORTED),
        ("30BB", 1_772_445_600_251_000, -6_100),
    ]


def test_a_bad_item_has_its_own_bytes() -> None:
    """Beside a bad item the good ones are kept."""
    parsed = keonn.parse(_inventory("<epc>30aa</epc><ts>1</ts>", "<epc>30a</epc><ts>1</ts>", "<ts>1</ts>"))
    assert len(parsed.reads) == 1
    assert [refused.raw for refused in parsed.refused] == [
        b"<item><epc>30a</epc><ts>1</ts></item>",
        b"<item><ts>1</ts></item>",
    ]


def test_documents_that_could_grow_are_refused() -> None:
    """A document type, another encoding, broken XML and another root are refused whole."""
    bodies = [
        b'<!DOCTYPE a [<!ENTITY b "c">]><inventory/>',
        "<inventory/>".encode("utf-16"),
        b"<inventory>",
        b"<other/>",
    ]
    for body in bodies:
        parsed = keonn.parse(body)
        assert [refused.raw for refused in parsed.refused] == [body]
        assert not parsed.reads
