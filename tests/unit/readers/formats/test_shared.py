"""The public reader vectors: every row that applies gives the reads it says."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lotstream.readers.formats import impinj, keonn, zebra
from lotstream.readers.formats.items import Parsed, VendorRead
from lotstream.schemas.base import NOT_REPORTED

PARSERS = {"impinj": impinj.parse, "zebra": zebra.parse, "keonn": keonn.parse}


def _parsed(vendor: str, payload: Any) -> Parsed:
    body = payload if isinstance(payload, str) else json.dumps(payload)
    return PARSERS[vendor](body.encode())


def _time_us(text: str) -> int:
    if text.isdigit():
        return int(text) * 1_000
    whole = datetime.fromisoformat(text)
    return int(whole.replace(microsecond=0).timestamp()) * 1_000_000 + whole.microsecond


def _expected(row: dict[str, Any]) -> dict[str, Any]:
    rssi = row["rssi_dbm"]
    return {
        "tag": row["epc_hex"],
        "antenna": row["antenna"] or 0,
        "rssi": NOT_REPORTED if rssi is None else round(rssi * 100),
        "last_us": _time_us(row["time"]),
        "seen_count": row.get("seen_count") or NOT_REPORTED,
    }


def _got(read: VendorRead, row: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(read, name) for name in _expected(row)}


@pytest.mark.parametrize("vendor", PARSERS)
def test_public_vectors(vendor: str, shared_data: Path) -> None:
    """Each payload gives its expected reads; one with no right answer is refused whole; others are events."""
    rows = (shared_data / "readers" / f"{vendor}.jsonl").read_text(encoding="utf-8").splitlines()
    assert rows
    for number, row in enumerate(map(json.loads, rows)):
        parsed = _parsed(vendor, row["payload"])
        where = f"{vendor} row {number}: {row['kind']}"
        if row["expect"] is None:
            assert (parsed.reads, len(parsed.refused)) == ([], 1), where
            continue
        assert not parsed.refused, where
        wanted = [_expected(read) for read in row["expect"]]
        assert [_got(read, one) for read, one in zip(parsed.reads, row["expect"], strict=True)] == wanted, where
        assert len(parsed.events) == (0 if row["expect"] else 1), where
