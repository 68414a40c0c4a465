"""The site file: locations, read points, the antennas and scanners at them, and maps of foreign formats.

TOML with the tables [[locations]], [[read_points]], [[antennas]], [[scanners]] and [[field_maps]].
"""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lotstream.runtime.settings import SettingsInvalid
from lotstream.schemas.base import Name

Antenna = Annotated[int, Field(ge=1, le=255)]
Text = Annotated[str, Field(max_length=200)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(StrEnum):
    """Which side of a portal an antenna looks at."""

    INSIDE = "inside"
    OUTSIDE = "outside"


class Location(_Table):
    """Where goods can be."""

    id: Name
    name: Text = ""
    site: Text = ""
    time_zone: Text = "UTC"
    gln: Text = ""
    kind: Literal["site", "zone", "transit", "customer"] = "zone"


class ReadPoint(_Table):
    """Where tags are read. With an outside it is a portal; read points of one group are decided together."""

    id: Name
    inside: Name
    outside: Text = ""
    group: Text = ""


class AntennaRow(_Table):
    """Antennas of a reader at a read point: one number, a list, or "all"."""

    reader: Name
    antenna: Antenna | list[Antenna] | Literal["all"] = "all"
    read_point: Name
    side: Side | None = None


class Scanner(_Table):
    """A scanner and its job: what a label without serial means when it is scanned there."""

    id: Name
    read_point: Name
    biz_step: Text = "observing"
    location: Text | None = None
    source: Text = ""
    document: Text = ""
    line: Text = ""
    party: Text = ""


class FieldMap(_Table):
    """How to find a read in a foreign JSON or CSV shape. Paths are dotted; numbers in them index arrays."""

    name: Name
    format: Literal["json", "ndjson", "csv"] = "json"
    rows: Text = Field(default="", description="path of the array of reads; empty: the body itself")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    tag: Text
    tag_format: Literal["hex", "base64", "any"] = "any"
    time: Text = ""
    time_format: Literal["iso", "s", "ms", "us", "ns"] = "iso"
    time_zone: Text = Field(default="", description="IANA zone of ISO times that carry no offset")
    antenna: Text = ""
    reader: Text = ""
    rssi: Text = ""
    rssi_unit: Literal["dbm", "cdbm"] = "dbm"
    count: Text = ""
    tid: Text = ""


class SiteFile(_Table):
    """The whole file."""

    locations: tuple[Location, ...] = ()
    read_points: tuple[ReadPoint, ...] = ()
    antennas: tuple[AntennaRow, ...] = ()
    scanners: tuple[Scanner, ...] = ()
    field_maps: tuple[FieldMap, ...] = ()


def read_site_file(path: Path) -> SiteFile:
    """The file's content. Raises SettingsInvalid with a line for everything that is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"Expected a readable site file at {str(path)!r}, got {type(error).__name__}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"Expected TOML in {str(path)!r}, got: {error}.") from None
    try:
        return SiteFile.model_validate(tables)
    except ValidationError as error:
        lines = (
            f"{'.'.join(map(str, e['loc']))}: Expected {e['msg']}, got {e['input']!r}."
            for e in error.errors(include_url=False)
        )
        raise SettingsInvalid(f"Expected a site file in {str(path)!r}:\n" + "\n".join(lines)) from None
