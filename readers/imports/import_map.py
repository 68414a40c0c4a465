"""The map: which column is which field, how dates and numbers are written, and what the codes of the ERP stand for.

TOML, strict; the ones that are shipped stand in `maps/`.
"""

import codecs
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator
from pydantic import Field as Of

from lotstream.readers.imports.kinds import FORMS, Field, Kind
from lotstream.runtime.settings import SettingsInvalid

_SHIPPED = "lotstream.readers.imports.maps"
_DIRECTIVE = re.compile(r"%(.?)")
_KNOWN_DIRECTIVES = frozenset("dmYyHMSbBjfpI%")
EXCEL = "excel"  # a date as the days since 1899-12-30, as spreadsheets keep it

Columns = dict[Field, str | list[str]]
Text = Annotated[str, Of(min_length=1, max_length=200)]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("a time zone of the IANA list, like Europe/Berlin")
    return name


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError("an encoding like utf-8 or cp1252") from None
    return name


def _date_format(text: str) -> str:
    if text != EXCEL and (not set(_DIRECTIVE.findall(text)) <= _KNOWN_DIRECTIVES or "%" not in text):
        raise ValueError('a format like %d.%m.%Y or %Y-%m-%d %H:%M, or "excel"')
    return text


def _template(text: str) -> str:
    if "{code}" not in text or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+", text, re.ASCII):
        raise ValueError("a URI with {code} in it, like urn:epcglobal:cbv:bt:0614141000012:{code}")
    return text


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class FileForm(_Table):
    """How the file is written."""

    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: Annotated[str, Of(min_length=1, max_length=1)] = ","
    sheet: str = Of(default="", description="of a workbook; empty: its only or first visible one")
    header: Annotated[int, Of(ge=1, le=100)] = Of(default=1, description="the row with the names of the columns")


class Numbers(_Table):
    """How amounts are written."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", "'", " "] = ""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("a thousands separator other than the decimal one")
        return self


class Dates(_Table):
    """How dates are written, and on which clock."""

    formats: Annotated[list[Annotated[str, AfterValidator(_date_format)]], Of(min_length=1)] = [
        "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S",
    ]  # fmt: skip
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    of_day: Annotated[str, Of(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Of(
        default="12:00", description="the time of day of a date that stands alone"
    )

    @property
    def time_zone(self) -> ZoneInfo:
        """The clock of times that name none."""
        return ZoneInfo(self.zone)


class KindMap(_Table):
    """The columns of one kind of file."""

    columns: Annotated[Columns, Of(min_length=1)]
    constants: dict[Field, Text] = Of(default={}, description="of every row whose column is missing or empty")
    only: dict[str, list[str]] = Of(default={}, description="column (or 'one | other name'): patterns that rows match")
    document_type: Annotated[str, Of(pattern=r"^[a-z]*$")] | None = None
    negative: bool = Of(default=False, description="amounts are written with a minus, as issues often are")


class CodeTable(_Table):
    """A file of codes, written as [file] says, its header in row 1."""

    file: Text = Of(description="CSV or XLSX, beside the map")
    code: Text = Of(description="column of the ERP's code")
    id: Text = Of(description="column of the GTIN, or of the GLN or URI")


class ImportMap(_Table):
    """A whole map."""

    file: FileForm = FileForm()
    numbers: Numbers = Numbers()
    dates: Dates = Dates()
    documents: Annotated[str, AfterValidator(_template)] = "urn:lotstream:bt:{code}"
    products: dict[str, Text] = Of(default={}, description="code: GTIN")
    locations: dict[str, Text] = Of(default={}, description="code: GLN or URI; '*': a URI with {code}")
    parties: dict[str, Text] = Of(default={}, description="code: GLN or URI; '*': a URI with {code}")
    tables: dict[Literal["products", "locations", "parties"], CodeTable] = Of(
        default={}, description="files of further codes"
    )
    units: dict[str, Text] = Of(default={}, description="the ERP's unit: UN/CEFACT Rec 20 code")
    totals: list[str] = Of(
        default=["total", "grand total", "sum", "summe", "gesamt", "gesamtsumme", "totale", "suma", "totaal"],
        description="how a row of totals below the lines begins",
    )
    kinds: dict[Kind, KindMap]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for kind, one in self.kinds.items():
            form = FORMS[kind]
            given = {*one.columns, *one.constants}
            for field in form.required:
                if field not in given:
                    raise ValueError(f"kinds.{kind}: a column or a constant for {field}")
            for field in given:
                if field not in form.fields:
                    raise ValueError(f"kinds.{kind}: fields of {', '.join(form.fields)}, not {field}")
        return self


def shipped_maps() -> list[str]:
    """Names of the maps that come with the product."""
    found = resources.files(_SHIPPED).iterdir()
    return sorted(one.name.removesuffix(".toml") for one in found if one.name.endswith(".toml"))


def read_map(name: str) -> tuple[str, ImportMap]:
    """(its text, the map) of a file, or of a shipped map. Raises SettingsInvalid with a line for every wrong entry."""
    if name.removesuffix(".toml") in shipped_maps() and not Path(name).exists():
        text = resources.files(_SHIPPED).joinpath(f"{name.removesuffix('.toml')}.toml").read_text(encoding="utf-8")
        return text, parse_map(text, name=name)
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        shipped = ", ".join(shipped_maps())
        raise SettingsInvalid(
            f"Expected a map file in UTF-8 or one of {shipped}, got {name!r} ({type(error).__name__})."
        ) from None
    return text, parse_map(text, name=name)


def parse_map(text: str, *, name: str) -> ImportMap:
    """The map in a text. Raises SettingsInvalid with a line for every wrong entry."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"Expected TOML in {name!r}, got: {error}.") from None
    try:
        # the keys and words of TOML are text: only these become enums, everything else stays strict
        return ImportMap.model_validate(_worded(tables))
    except ValidationError as error:
        lines = [_line(problem["loc"], problem["msg"], problem["input"]) for problem in error.errors(include_url=False)]
        raise SettingsInvalid("\n".join([f"Expected an import map in {name!r}:", *lines])) from None


def _line(where: tuple[int | str, ...], said: str, got: object) -> str:
    expected = said.removeprefix("Value error, ").removeprefix("Input should be ")
    path = ".".join(str(part) for part in where if part not in ("[key]", "str", "list[str]")) or "map"
    if isinstance(got, dict):
        return f"{path}: Expected {expected}."
    return f"{path}: Expected {expected}, got {got!r}."


def _worded(tables: dict[str, object]) -> dict[str, object]:
    kinds = tables.get("kinds")
    if not isinstance(kinds, dict):
        return tables
    return tables | {"kinds": {_word(Kind, kind): _fields(one) for kind, one in kinds.items()}}


def _fields(one: object) -> object:
    if not isinstance(one, dict):
        return one
    named = {name: one[name] for name in ("columns", "constants") if isinstance(one.get(name), dict)}
    return one | {name: {_word(Field, key): value for key, value in table.items()} for name, table in named.items()}


def _word(words: type[Kind] | type[Field], text: str) -> str:
    try:
        return words(text)
    except ValueError:
        return text
