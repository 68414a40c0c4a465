"""parse: what is this barcode, EPC or Digital Link?"""

from dataclasses import asdict
from datetime import UTC, datetime

import click
import orjson

from lotstream.cli.context import console, json_option
from lotstream.schemas.identifiers import describe
from lotstream.schemas.identifiers.describe import Description


@click.command()
@click.argument("text")
@json_option
def parse(text: str, as_json: bool) -> None:
    """What TEXT is: scanner data, element string, EPC hex, EPC URI, Digital Link or key.

    Exit 1 with the rule that it breaks.
    """
    found = describe(text, today_year=datetime.now(UTC).year)
    if as_json:
        click.echo(orjson.dumps({"kind": "parse", "v": 1, **asdict(found)}, default=str, option=orjson.OPT_INDENT_2))
        return
    for name, value in rows(found):
        console().print(f"{name:<14} {value}", soft_wrap=True, markup=False)


def rows(found: Description) -> list[tuple[str, str]]:
    """(name, value) of everything that the text says."""
    lines = [("written as", str(found.written)), ("key", found.key or "none of GS1's")]
    lines += [("symbology", found.symbology)] if found.symbology else []
    lines += [(f"AI ({element.ai})", f"{element.value}  {element.title}") for element in found.elements]
    lines += [("lot", found.lot)] if found.lot else []
    lines += [(f"date ({ai})", day.isoformat()) for ai, day in found.dates.items()]
    lines += [("amount", f"{found.amount.normalize():f} {found.unit}")] if found.amount is not None else []
    lines += [("count", str(found.count))] if found.count is not None else []
    lines += [("Digital Link", found.digital_link)] if found.digital_link else []
    lines += [("EPC URI", found.epc_uri)] if found.epc_uri else []
    return lines + [("warning", warning) for warning in found.warnings]
