"""Tables as an XLSX workbook (ECMA-376, SpreadsheetML), row by row, with nothing but what a table needs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

Value = str | int | Decimal | datetime | date | None

LONGEST = 32_767  # characters of a cell
_BOLD, _INSTANT, _DAY = 1, 2, 3  # of the cellXfs
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)  # day 0 of a spreadsheet
_DAYS = timedelta(days=1)
# what XML cannot say, and what would be read as the escape of such (ECMA-376, ST_Xstring)
_ESCAPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_REL_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = f"""{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2">\
<numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm:ss"/><numFmt numFmtId="165" formatCode="yyyy-mm-dd"/></numFmts>\
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill></fills>\
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4">\
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>\
<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>\
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""
_HEAD = f"""{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">\
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>"""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: its name of at most 31 characters, its columns and rows."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Value]]


def write_tables(tables: Iterable[Table], path: Path) -> None:
    """A sheet for each table: numbers, days and instants (UTC) as such, so that it sorts; texts are texts, also where
    they begin as a formula does. Raises OSError."""
    extents: dict[str, str] = {}
    with ZipFile(path, "w", ZIP_DEFLATED) as book:
        for table in tables:
            rows = [table.columns, *table.rows]
            letters = [_letters(number) for number in range(len(table.columns))]
            extents[table.name] = f"$A$1:${letters[-1]}${len(rows)}"
            with book.open(f"xl/worksheets/sheet{len(extents)}.xml", "w") as sheet:
                sheet.writelines(part.encode() for part in _sheet(rows, letters, extent=extents[table.name]))
        for name, text in _around(extents).items():
            book.writestr(name, text)


def _sheet(rows: Iterable[Sequence[Value]], letters: Sequence[str], *, extent: str) -> Iterator[str]:
    yield _HEAD
    for number, row in enumerate(rows, 1):
        style = _BOLD if number == 1 else 0
        cells = (_cell(f"{column}{number}", value, style) for column, value in zip(letters, row, strict=True))
        yield f'<row r="{number}">{"".join(cells)}</row>'
    yield f'</sheetData><autoFilter ref="{extent.replace("$", "")}"/></worksheet>'


def _cell(at: str, value: Value, style: int) -> str:
    match value:
        case None | "":
            return ""
        case str():
            return _text(at, value, style)
        case Decimal() if not value.is_finite():
            return _text(at, str(value), style)
        case datetime():
            return f'<c r="{at}" s="{_INSTANT}"><v>{(value - _EPOCH) / _DAYS!r}</v></c>'
        case date():
            return f'<c r="{at}" s="{_DAY}"><v>{(value - _EPOCH.date()).days}</v></c>'
    return f'<c r="{at}"><v>{value}</v></c>'


def _text(at: str, value: str, style: int) -> str:
    said = escape(_ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", value[:LONGEST]))
    return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'


def _letters(number: int) -> str:
    """The name of a column from its number: 0 is A, 26 is AA."""
    over, last = divmod(number, 26)
    return (_letters(over - 1) if over else "") + chr(ord("A") + last)


def _around(extents: Mapping[str, str]) -> dict[str, str]:
    """What makes a workbook of sheets: which parts there are, and how one leads to the other."""
    numbers = range(1, len(extents) + 1)
    parts = {
        "/xl/workbook.xml": "sheet.main",
        "/xl/styles.xml": "styles",
        **{f"/xl/worksheets/sheet{number}.xml": "worksheet" for number in numbers},
    }
    types = "".join(f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>' for part, kind in parts.items())
    rels = f'<Default Extension="rels" ContentType="{_REL_TYPE}"/>'
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(extents, 1)
    )
    # a filter is known by a name of its own, too
    filters = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{number}" hidden="1">'
        f"{_quoted(name)}!{extent}</definedName>"
        for number, (name, extent) in enumerate(extents.items())
    )
    leads = [("worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
    return {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">{rels}{types}</Types>',
        "_rels/.rels": _leading([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets>'
        f"<definedNames>{filters}</definedNames></workbook>",
        "xl/_rels/workbook.xml.rels": _leading([*leads, ("styles", "styles.xml")]),
        "xl/styles.xml": _STYLES,
    }


def _leading(targets: Iterable[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


def _quoted(name: str) -> str:
    """The name of a sheet in a formula."""
    return escape("'" + name.replace("'", "''") + "'")
