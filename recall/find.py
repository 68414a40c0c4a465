"""Which lot is meant: a lot key, a Digital Link, a scanned label, an LGTIN or a bare lot code."""

from lotstream.recall.answers import Lot
from lotstream.recall.store import History
from lotstream.runtime.errors import Rejected
from lotstream.schemas.identifiers import class_urn_to_key, lot_key, parse_scan, split_lot_key


class LotMissing(LookupError):
    """No lot of that name; `near` are codes like it."""

    def __init__(self, text: str, near: list[str]) -> None:
        hint = f" Near: {', '.join(near)}." if near else ""
        super().__init__(f"Expected a lot that is known, got {text!r}.{hint}")
        self.text = text
        self.near = near


class LotAmbiguous(LookupError):
    """A lot code alone is not unique; `candidates` are the lot keys that bear it."""

    def __init__(self, text: str, candidates: list[str]) -> None:
        super().__init__(f"Expected one lot, got {text!r}, the code of {len(candidates)}: {', '.join(candidates)}.")
        self.text = text
        self.candidates = candidates


def lot_named(text: str, *, gtin: str = "") -> str | None:
    """The lot key that a text says in full, None when it can only be a lot code."""
    if gtin:
        return lot_key(gtin, text)
    try:
        if text.startswith("01/"):
            return lot_key(*split_lot_key(text))
        if text.startswith("urn:"):
            return class_urn_to_key(text)
        return parse_scan(text).lot
    except Rejected:
        return None


def find_lot(history: History, text: str, *, gtin: str = "") -> Lot:
    """The lot that is meant. Raises LotMissing with near matches, LotAmbiguous with the candidates."""
    key = lot_named(text, gtin=gtin)
    if key is None:
        found = [row["lot"] for row in history.ask("lots_by_code", code=text)]
        if len(found) > 1:
            raise LotAmbiguous(text, found)
        key = found[0] if found else None
    rows = history.ask("lot", lot=key) if key else []
    if not rows:
        code = split_lot_key(key)[1] if key else text
        raise LotMissing(text, [row["lot"] for row in history.ask("lots_near", code=code)])
    return Lot(**rows[0])
