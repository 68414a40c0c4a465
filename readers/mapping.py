"""Which antenna is where: reader and antenna -> read point, with the locations it joins.

What the mapping says about a read is stamped into its batch. A reader or antenna that it does not know is never
refused: its reads are kept at the read point ``unmapped/<reader>``.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones

import orjson

from lotstream.readers.site_file import AntennaRow, FieldMap, Scanner, Side, SiteFile
from lotstream.runtime.settings import SettingsInvalid
from lotstream.schemas.base import Stamp
from lotstream.schemas.events import LocationMaster, ReadPointMaster, SiteMapping

UNMAPPED = "unmapped"
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Place:
    """What the mapping says about some antennas of one reader: where they are and on which side."""

    read_point: str
    door: str
    inside: str
    outside: str
    inner: tuple[int, ...] = ()
    outer: tuple[int, ...] = ()
    mapped: bool = True


class Mapping:
    """The mapping in force, and its version: a function of its content."""

    def __init__(self, site: SiteFile) -> None:
        self.site = site
        self.version = _version(site)
        self.scanners: dict[str, Scanner] = {scanner.id: scanner for scanner in site.scanners}
        self.field_maps: dict[str, FieldMap] = {map_.name: map_ for map_ in site.field_maps}
        _check(site)
        self._places = _places(site)

    def place(self, reader: str, antenna: int) -> Place:
        """Where an antenna is; antenna 0 is the reader's only read point, when it has one."""
        antennas = self._places.get(reader)
        if antennas is None:
            return _unmapped(reader)
        place = antennas.get(antenna) or antennas.get(-1)
        if place is None and antenna == 0:
            places = set(antennas.values())
            place = places.pop() if len(places) == 1 else None
        return place or _unmapped(reader)

    def places(self, reader: str) -> list[Place]:
        """All read points of a reader, in order."""
        antennas = self._places.get(reader)
        if antennas is None:
            return [_unmapped(reader)]
        return sorted(set(antennas.values()), key=lambda place: place.read_point)

    def scanner_place(self, scanner: str) -> Place:
        """Where a scanner is."""
        return self.place(scanner, 0)

    def record(self, stamp: Stamp) -> SiteMapping:
        """The mapping as a record of the log."""
        return SiteMapping(
            version=self.version,
            locations=tuple(
                LocationMaster(
                    id=row.id,
                    name=row.name or row.id,
                    site=row.site,
                    time_zone=row.time_zone,
                    gln=row.gln,
                    kind=row.kind,
                )
                for row in self.site.locations
            ),
            read_points=tuple(
                ReadPointMaster(id=row.id, door=row.group or row.id, inside=row.inside, outside=row.outside)
                for row in self.site.read_points
            ),
            stamp=stamp,
        )


@lru_cache(maxsize=10_000)
def _unmapped(reader: str) -> Place:
    name = f"{UNMAPPED}/{reader}"
    if len(name) > MAX_NAME:
        name = f"{name[: MAX_NAME - 17]}#{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return Place(name, name, name, "", mapped=False)


def _version(site: SiteFile) -> int:
    content = orjson.dumps(site.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.sha256(content).digest()[:6], "big")


def _places(site: SiteFile) -> dict[str, dict[int, Place]]:
    points = {point.id: point for point in site.read_points}
    sides: dict[tuple[str, str], dict[Side, set[int]]] = {}
    at: dict[str, dict[int, str]] = {}
    for row in site.antennas:
        for antenna in _numbers(row):
            at.setdefault(row.reader, {})[antenna] = row.read_point
            if row.side is not None:
                sides.setdefault((row.reader, row.read_point), {}).setdefault(row.side, set()).add(antenna)
    places: dict[str, dict[int, Place]] = {}
    for reader, antennas in at.items():
        made: dict[str, Place] = {}
        for read_point in dict.fromkeys(antennas.values()):
            side = sides.get((reader, read_point), {})
            point = points[read_point]
            made[read_point] = Place(
                point.id,
                point.group or point.id,
                point.inside,
                point.outside,
                tuple(sorted(side.get(Side.INSIDE, ()))),
                tuple(sorted(side.get(Side.OUTSIDE, ()))),
            )
        places[reader] = {antenna: made[read_point] for antenna, read_point in antennas.items()}
    for scanner in site.scanners:
        point = points[scanner.read_point]
        place = Place(point.id, point.group or point.id, point.inside, point.outside)
        places.setdefault(scanner.id, {})[0] = place
    return places


def _numbers(row: AntennaRow) -> Iterable[int]:
    """Antenna numbers of a row; "all" is -1 in the table, and every number on the side it names."""
    if row.antenna == "all":
        return (-1,) if row.side is None else range(-1, 256)
    return (row.antenna,) if isinstance(row.antenna, int) else row.antenna


def _check(site: SiteFile) -> None:
    faults = [
        *_twice("location", (row.id for row in site.locations)),
        *_twice("read point", (row.id for row in site.read_points)),
        *_twice("scanner", (row.id for row in site.scanners)),
        *_twice("field map", (row.name for row in site.field_maps)),
        *_twice("antenna", (f"{row.reader}:{n}" for row in site.antennas for n in _numbers(row))),
    ]
    locations = {row.id for row in site.locations}
    points = {row.id for row in site.read_points}
    for point in site.read_points:
        faults += [
            f"Expected a known location at read point {point.id!r}, got {name!r}."
            for name in (point.inside, point.outside)
            if name and name not in locations
        ]
    for owner, read_point in [(row.reader, row.read_point) for row in site.antennas] + [
        (row.id, row.read_point) for row in site.scanners
    ]:
        if read_point not in points:
            faults.append(f"Expected a known read point at {owner!r}, got {read_point!r}.")
    for scanner in site.scanners:
        faults += [
            f"Expected a known location at scanner {scanner.id!r}, got {name!r}."
            for name in (scanner.location, scanner.source)
            if name and name not in locations
        ]
    for map_ in site.field_maps:
        if map_.time_zone and map_.time_zone not in available_timezones():
            faults.append(f"Expected an IANA time zone in field map {map_.name!r}, got {map_.time_zone!r}.")
    if faults:
        raise SettingsInvalid("\n".join(faults))


def _twice(what: str, names: Iterable[str]) -> list[str]:
    return [f"Expected each {what} once, got {name!r} twice." for name, times in Counter(names).items() if times > 1]
