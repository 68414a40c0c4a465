"""The options of replay."""

import json
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lotstream.cli.addresses import gateway_url
from lotstream.cli.main import lotstream as program
from lotstream.cli.replay import FORMATS, _parse_format
from lotstream.readers.replay import Format
from lotstream.runtime.settings import load_settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (None, "")),
        ("impinj", (Format.IMPINJ, "")),
        ("epcis", (Format.EVENTS, "")),
        ("mapping:flat", (Format.READS, "flat")),
    ],
)
def test_formats_are_named_after_their_doors(text: str, expected: tuple[Format | None, str]) -> None:
    """A format, EPCIS, a field map, or none for what the first item tells."""
    context = click.Context(click.Command("replay"))
    assert _parse_format(context, click.Option(["--format"]), text) == expected


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    """The known ones are named."""
    file = tmp_path / "a.jsonl"
    file.write_text("{}\n")
    for text in ("llrp", "mapping:", "events"):
        ran = CliRunner().invoke(program, ["replay", str(file), "--format", text])
        assert ran.exit_code == 2 and ", ".join(FORMATS) in ran.output.replace("\n", " ")


def test_the_gateway_of_this_machine_comes_first(tmp_path: Path) -> None:
    """The address that a gateway here has published wins over that of the settings."""
    settings = load_settings(None, {"LOTSTREAM_RUN_DIR": str(tmp_path), "LOTSTREAM_GATEWAY__PORT": "8099"})
    assert gateway_url(settings) == "http://127.0.0.1:8099"
    (tmp_path / "gateway.json").write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:8111"}))
    assert gateway_url(settings) == "http://127.0.0.1:8111"
