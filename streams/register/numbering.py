"""Numbers of lots: claims of a GTIN in the order of the log, the first wins. Pure.

The answer to a claim is a function of the claims before it in the partition, so that an owner that has been replaced
and does not know says the same as the new one. A claim that is known gets its number again. Refusals are not kept: no
number is ever given back, so that they are refused again, or the claim has been corrected.
"""

from collections.abc import Iterable, Mapping

import orjson

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.events import LotClaim
from lotstream.schemas.identifiers import lot_key
from lotstream.schemas.lot_numbers import parse_template
from lotstream.schemas.lots import LotNumber

_NO_SERIES = ("", 0)
_NO_CLAIM = b"[]"


class Numbering:
    """The numbers given in one partition of events.v1: (GTIN, claim) -> lot, and how far each series has counted.

    Events of a GTIN are in the partition of its claims: what they call a lot is taken too.
    """

    def __init__(self) -> None:
        self._lots: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self._last: dict[tuple[str, str], int] = {}  # (GTIN, series)
        self._dirty: dict[bytes, bytes | None] = {}

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """State as `changes` told it."""
        for key, value in items:
            if value == _NO_CLAIM:
                self._taken.add(key.decode())
            else:
                self._keep(*orjson.loads(key), *orjson.loads(value))

    def changes(self) -> Mapping[bytes, bytes | None]:
        """Numbers given since last asked, in the order in which they were given."""
        dirty, self._dirty = self._dirty, {}
        return dirty

    def take(self, lot: str) -> None:
        """A lot of that name is there: its code is given to nobody."""
        if lot not in self._taken:
            self._taken.add(lot)
            self._dirty[lot.encode()] = _NO_CLAIM

    def decide(self, claim: LotClaim) -> LotNumber:
        """The answer to a claim, kept when it is a number."""
        lot, detail = self._lots.get((claim.gtin, claim.claim), ""), ""
        if not lot:
            try:
                lot = self._new(claim)
            except Rejected as rejected:
                detail = rejected.detail[:500]
        return LotNumber(
            claim=claim.claim,
            gtin=claim.gtin,
            lot=lot,
            detail=detail,
            by=claim.by,
            recorded_us=claim.stamp.received_us,
        )

    def _new(self, claim: LotClaim) -> str:
        lot, series = self._asked(claim) if claim.code else self._next(claim)
        self._keep(claim.gtin, claim.claim, lot, *series)
        key = orjson.dumps((claim.gtin, claim.claim))
        self._dirty[key] = orjson.dumps((lot, *series))
        return lot

    def _asked(self, claim: LotClaim) -> tuple[str, tuple[str, int]]:
        lot = lot_key(claim.gtin, claim.code)
        if lot in self._taken:
            raise Rejected(Reason.CONTRADICTION, f"Expected a free code, got {claim.code!r}, which is taken.")
        return lot, _NO_SERIES

    def _next(self, claim: LotClaim) -> tuple[str, tuple[str, int]]:
        template = parse_template(claim.template)
        series = template.series(claim.gtin, site=claim.site, line=claim.line, day=claim.production_date)
        for number in range(self._last.get((claim.gtin, series.name), 0) + 1, series.last + 1):
            lot = lot_key(claim.gtin, series.code(number))
            if lot not in self._taken:
                return lot, (series.name, number)
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected a free number in {series.name}, got {series.last} taken.")

    def _keep(self, gtin: str, claim: str, lot: str, series: str, number: int) -> None:
        self._lots[gtin, claim] = lot
        self._taken.add(lot)
        if series:
            self._last[gtin, series] = max(number, self._last.get((gtin, series), 0))
