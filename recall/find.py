"""Which lot is meant: a lot key, a Digital Link, a scanned label, an LGTIN, a unit of it, or a bare lot code."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lotstream.recall.store import ALWAYS, History, Row
from lotstream.recall.trace_facts import asked
from lotstream.runtime.errors import Rejected
from lotstream.schemas.identifiers import (
    Key,
    class_urn_to_key,
    gtin14,
    lot_key,
    parse_key,
    parse_scan,
    split_lot_key,
    tag_key,
)


class NotFound(LookupError):
    """Nothing of that name is known; `near` are names like it."""

    def __init__(self, what: str, text: str, near: list[str], *, hint: str = "") -> None:
        said = [f"Expected a {what} that is known, got {text!r}."]
        said += [f"Near: {', '.join(near)}."] if near else []
        said += [hint] if hint else []
        super().__init__(" ".join(said))
        self.text = text
        self.near = near


class LotMissing(NotFound):
    """No lot of that name."""


class UnitMissing(NotFound):
    """No unit of that name was ever seen or bound."""


class LocationMissing(NotFound):
    """No location of that name."""


class DocumentMissing(NotFound):
    """No document of that number."""


class LotAmbiguous(LookupError):
    """A lot code alone is not unique; `candidates` are the lot keys that bear it."""

    def __init__(self, text: str, candidates: list[str]) -> None:
        many = f"the name of {len(candidates)}: {', '.join(candidates)}"
        super().__init__(f"Expected one lot, got {text!r}, {many}. Say which: its lot key, or --gtin.")
        self.text = text
        self.candidates = candidates


@dataclass(frozen=True, slots=True)
class Found:
    """A lot that is known, and what there may be of it."""

    lot: str  # its key
    units: bool = True
    quantities: bool = True
    told: bool = True  # that units of it are to be placed when asked

    @property
    def placed(self) -> list[str]:
        """Lots of which units are placed when asked."""
        return [self.lot] if self.told else []

    @property
    def more(self) -> list[str]:
        """What is asked besides: which units these are."""
        return ["units_told"] if self.told else []


def lot_named(text: str) -> str | None:
    """The lot key that a text says in full, None when it can only be a lot code, or names one unit."""
    try:
        if text.startswith("01/"):
            return lot_key(*split_lot_key(text))
        if text.lower().startswith("urn:"):
            return lot_key(*split_lot_key(class_urn_to_key(text)))
        return parse_scan(text).lot
    except Rejected:
        return None


def unit_named(text: str) -> str | None:
    """The key of the one unit that a text says, None when it says none."""
    try:
        if "/" in text or text.lower().startswith("urn:"):
            return _instance(parse_key(tag_key(text)))
        scanned = parse_scan(text).key
        return scanned if scanned is not None else _instance(parse_key(tag_key(text)))
    except Rejected:
        return None


def find_lot(history: History, text: str, *, gtin: str = "") -> Found:
    """The lot that is meant. Raises LotMissing with near matches, LotAmbiguous, IdentifierInvalid."""
    text = text.strip()
    wanted = gtin14(gtin) if gtin else ""
    key = lot_named(text)
    if key is not None:
        return _known(history, text, key=key, gtin=wanted)
    found = _lots(history, text, gtin=wanted)
    if not found:
        unit = unit_named(text)
        found = [] if unit is None else [Found(lot) for lot in lots_of_unit(history, unit)]
    if len(found) > 1:
        raise LotAmbiguous(text, [one.lot for one in found])
    if not found:
        raise LotMissing(text=text, what="lot", near=near_lots(history, text), hint=_ALL)
    return found[0]


def find_lots(history: History, texts: Iterable[str], *, gtin: str = "") -> dict[str, str]:
    """The lot that each text means, as `find_lot` has it; those that are named in full are looked for together."""
    keys = {text: lot_named(text.strip()) or "" for text in texts}
    named = set() if gtin else {*keys.values()} - {""}
    known = {row["lot"] for row in asked(history, "lots_known", "lots", named)}
    return {text: key if key in known else find_lot(history, text, gtin=gtin).lot for text, key in keys.items()}


_ALL = "All of them: lotstream lots."


def lots_of_unit(history: History, unit: str) -> list[str]:
    """The lots that a unit was bound to, in order of time; the first one reaches back and is always told."""
    return lots_by_then(history, history.ask("lots_of_unit", **unit_parameters(unit)))


def unit_parameters(unit: str) -> dict[str, Any]:
    """Parameters of the query lots_of_unit: the unit itself, and its place in ranges of its class."""
    key = parse_key(unit)
    serial = key.numeric_serial
    of_class = f"01/{key.gtin}" if serial is not None else ""
    return {"tag": unit, "serial": -1 if serial is None else serial, "of_class": of_class}


def lots_by_then(history: History, rows: Iterable[Row]) -> list[str]:
    """Of what lots_of_unit tells, the lots of which the question is."""
    by = history.as_of or ALWAYS
    return [row["lot"] for number, row in enumerate(rows) if number == 0 or row["since"] <= by]


def find_locations(history: History, text: str) -> list[str]:
    """The ids of the locations that a text names by id, name or GLN, capitals aside; none when there is none."""
    asked = text.strip().casefold()
    return [
        row["id"] for row in history.places() if asked in (row["id"].casefold(), row["name"].casefold(), row["gln"])
    ]


def near_locations(history: History, text: str) -> list[str]:
    """Names of locations like a text."""
    names: dict[str, str] = {}
    for name in (row[kind] for kind in ("name", "id") for row in history.places()):
        names.setdefault(name.casefold(), name)
    within = [name for folded, name in names.items() if text.casefold() in folded]
    close = [names[folded] for folded in difflib.get_close_matches(text.casefold(), names, n=5)]
    return list(dict.fromkeys([*within[:5], *close]))[:5]


def _known(history: History, text: str, *, key: str, gtin: str) -> Found:
    of, code = split_lot_key(key)
    if gtin and of != gtin:
        raise LotMissing(text=text, what=f"lot of GTIN {gtin}", near=[key])
    for found in _lots(history, code, gtin=of):
        if found.lot == key:
            return found
    raise LotMissing(text=text, what="lot", near=near_lots(history, code), hint=_ALL)


def _lots(history: History, name: str, *, gtin: str) -> list[Found]:
    rows = history.ask("lots_named", code=name, gtin=gtin)
    return [_found(row, name) for row in rows]


def _found(row: Row, name: str) -> Found:
    if split_lot_key(row["lot"])[1] != name:
        return Found(row["lot"])  # under a supplier's name only the statements about a lot are listed
    return Found(row["lot"], bool(row["units"]), bool(row["quantities"]), bool(row["told"]))


def near_lots(history: History, name: str) -> list[str]:
    """Keys of lots whose names are like a text."""
    return [row["lot"] for row in history.ask("lots_near", code=name)]


def _instance(key: Key) -> str | None:
    return str(key) if key.is_instance else None
