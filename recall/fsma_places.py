"""Where things are, as the regulator wants it described, and when they were there, by the site's own clock. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lotstream.recall.fsma_rule import LOCATION_MEMBERS

Row = Mapping[str, Any]
_MASTER = ("name", "phone", "street", "city", "state", "zip", "country")  # in the order of LOCATION_MEMBERS


class Places:
    """Locations of the mapping and what master data say of locations and parties."""

    def __init__(self, mapping: Iterable[Row], masters: Iterable[Row]) -> None:
        self._mapping = {row["id"]: row for row in mapping}
        self._masters = {row["subject"]: row for row in masters}

    def describe(self, key: str) -> dict[str, str]:
        """What is known of a place, by member of its description; '' for what nobody said."""
        known = self._mapping.get(key, {})
        master = self._masters.get(key) or self._masters.get(subject_of(key, known), {})
        words = [str(master.get(name, "")) for name in _MASTER]
        words[0] = words[0] or str(known.get("name", ""))
        return dict(zip(LOCATION_MEMBERS, words, strict=True))

    def date(self, at: datetime, key: str) -> str:
        """The date of an instant at a place, by the clock of its site; ISO 8601. UTC where no zone is known."""
        return at.astimezone(self._zone(key)).date().isoformat()

    def has_zone(self, key: str) -> bool:
        """Whether the zone of a place is known."""
        return key in self._mapping

    def name(self, subject: str) -> str:
        """What a subject of master data is called."""
        return str(self._masters.get(subject, {}).get("name", ""))

    def _zone(self, key: str) -> tzinfo:
        known = self._mapping.get(key)
        try:
            return ZoneInfo(known["time_zone"]) if known else UTC
        except (ZoneInfoNotFoundError, ValueError):
            return UTC


def subject_of(key: str, known: Row) -> str:
    """The key under which master data name a location of the mapping."""
    gln = known.get("gln", "")
    return f"414/{gln}" if gln else key
