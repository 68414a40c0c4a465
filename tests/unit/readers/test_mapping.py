"""The site file and what it says about antennas."""

from pathlib import Path
from typing import Any

import pytest

from lotstream.readers.mapping import Mapping
from lotstream.readers.site_file import SiteFile, read_site_file
from lotstream.runtime.settings import SettingsInvalid
from lotstream.schemas.base import Origin, Stamp

FILE = """
[[locations]]
id = "hall"
name = "Hall"
time_zone = "Europe/Berlin"
gln = "9521321000010"

[[locations]]
id = "yard"

[[read_points]]
id = "dock-1"
inside = "hall"
outside = "yard"
group = "docks"

[[read_points]]
id = "desk"
inside = "hall"

[[antennas]]
reader = "r1"
antenna = [1, 2]
read_point = "dock-1"
side = "inside"

[[antennas]]
reader = "r1"
antenna = 3
read_point = "dock-1"
side = "outside"

[[antennas]]
reader = "r2"
read_point = "desk"

[[scanners]]
id = "s1"
read_point = "desk"
biz_step = "shipping"
location = ""
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    file = tmp_path / "site.toml"
    file.write_text(FILE, encoding="utf-8")
    return Mapping(read_site_file(file))


def test_places(mapping: Mapping) -> None:
    """An antenna has the read point, the locations and the sides that the file gives it."""
    place = mapping.place("r1", 3)
    assert (place.read_point, place.door, place.inside, place.outside) == ("dock-1", "docks", "hall", "yard")
    assert (place.inner, place.outer) == ((1, 2), (3,))
    assert mapping.place("r2", 200).read_point == "desk"
    assert mapping.place("s1", 0).read_point == "desk"


def test_an_antenna_that_is_not_told(mapping: Mapping) -> None:
    """A read without antenna is at the reader's only read point."""
    assert mapping.place("r1", 0).read_point == "dock-1"
    assert mapping.place("r1", 9).read_point == "unmapped/r1"


def test_unmapped_names_fit_the_contract(mapping: Mapping) -> None:
    """However long a reader's name, its read point is a name, and two readers have two."""
    first, second = (mapping.place("x" * 200 + tail, 1).read_point for tail in "ab")
    assert len(first) == len(second) == 200
    assert first != second


def test_the_version_is_of_the_content(mapping: Mapping) -> None:
    """The same content has the same version, another content another."""
    again = Mapping(SiteFile.model_validate(mapping.site.model_dump()))
    assert again.version == mapping.version
    assert Mapping(SiteFile()).version != mapping.version


def test_the_mapping_as_a_record(mapping: Mapping) -> None:
    """Locations and read points go into the log with their names and doors."""
    stamp = Stamp(received_us=1, origin=Origin.LIVE, source="gateway", request="q")
    record = mapping.record(stamp)
    assert [location.name for location in record.locations] == ["Hall", "yard"]
    assert [(point.id, point.door) for point in record.read_points] == [("dock-1", "docks"), ("desk", "desk")]
    assert record.version == mapping.version


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"read_points": [{"id": "a", "inside": "moon"}]}, "Expected a known location at read point 'a', got 'moon'."),
        ({"antennas": [{"reader": "r", "read_point": "a"}]}, "Expected a known read point at 'r', got 'a'."),
        ({"locations": [{"id": "l"}, {"id": "l"}]}, "Expected each location once, got 'l' twice."),
        (
            {
                "locations": [{"id": "l"}],
                "read_points": [{"id": "a", "inside": "l"}],
                "antennas": [{"reader": "r", "antenna": n, "read_point": "a"} for n in (1, [1, 2])],
            },
            "Expected each antenna once, got 'r:1' twice.",
        ),
        (
            {"field_maps": [{"name": "m", "tag": "e", "time_zone": "Moon/Base"}]},
            "Expected an IANA time zone in field map 'm', got 'Moon/Base'.",
        ),
    ],
)
def test_a_site_that_contradicts_itself_is_refused(change: dict[str, Any], said: str) -> None:
    """What does not fit together is named."""
    with pytest.raises(SettingsInvalid, match="Expected") as refused:
        Mapping(SiteFile.model_validate(change))
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["locations = 1", "[[antennas]]\nreader = 'r'\nantenna = 300\nread_point = 'a'", "="])
def test_a_file_that_is_no_site_is_refused(text: str, tmp_path: Path) -> None:
    """The message names the file and what was expected."""
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"site\.toml"):
        read_site_file(file)
    with pytest.raises(SettingsInvalid, match="readable"):
        read_site_file(tmp_path / "none.toml")
