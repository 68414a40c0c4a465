"""The published schemas and the topics page."""

import importlib
import json
import pkgutil
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lotstream.schemas
from lotstream.cli import contracts
from lotstream.cli.main import lotstream as program
from lotstream.recall import answers
from lotstream.schemas.base import Wire
from lotstream.schemas.topics import TOPICS

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=6)
INSTANTS = st.datetimes(min_value=datetime(1980, 1, 1), timezones=st.just(UTC))


# what the history can hold: amounts with six places, instants with their zone, finite numbers
st.register_type_strategy(Decimal, AMOUNTS)
st.register_type_strategy(datetime, INSTANTS)
st.register_type_strategy(float, st.floats(0, 1e6))


def schema_of(kind: str) -> dict[str, Any]:
    path = contracts.SCHEMAS / "answers" / f"{kind}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def check(kind: str, said: str) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(kind), format_checker=jsonschema.FormatChecker())
    validator.validate(json.loads(said))


def wire_models() -> set[str]:
    """Messages of all of schemas/: contracts with a version of their own."""
    found: set[str] = set()
    for module in pkgutil.walk_packages(lotstream.schemas.__path__, "lotstream.schemas."):
        for thing in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, Wire)
                and "v" in thing.model_fields
                and thing.__name__[0] != "_"
            ):
                found.add(thing.__name__)
    return found


def test_what_is_published_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """The schemas and the page in docs/ are those of the code."""
    assert contracts.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stray_schema_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema whose model is gone fails the check and is removed by the generator."""
    monkeypatch.setattr(contracts, "SCHEMAS", tmp_path / "schemas")
    monkeypatch.setattr(contracts, "PAGE", tmp_path / "topics.md")
    assert contracts.main([]) == 0
    stray = tmp_path / "schemas" / "topics" / "gone.v1.Gone.json"
    stray.write_text("{}")
    assert contracts.main(["--check"]) == 1
    assert contracts.main([]) == 0
    assert not stray.exists()


def test_the_table_names_models_that_exist() -> None:
    """Every model named as a topic's value is there, and every message that is there is named by a topic."""
    named = {word for topic in TOPICS for word in re.findall(r"\b[A-Z][a-z]+[A-Z]?\w*", topic.value)}
    assert named == set(contracts.MODELS)
    assert wire_models() <= named


def test_every_schema_is_one() -> None:
    """Each published schema is valid JSON Schema with a name of its own, and refuses what it does not know."""
    ids = set()
    for path, schema in contracts.schemas():
        jsonschema.Draft202012Validator.check_schema(schema)
        ids.add(schema["$id"])
        assert schema["additionalProperties"] is False, path
    assert len(ids) == len(list(contracts.schemas()))


@pytest.mark.parametrize("answer", answers.ANSWERS, ids=lambda answer: str(answer.__name__))
def test_answers_are_what_their_schema_says(answer: type[answers.Answer]) -> None:
    """Whatever --json can print is valid under the published schema of its kind."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.builds(answer))
    def holds(made: answers.Answer) -> None:
        check(str(answer.model_fields["kind"].default), made.model_dump_json())

    holds()


@pytest.mark.parametrize(
    "text",
    [
        "]C1010950600013435210AB-12/7",
        "(01)09506000134352(10)AB-12/7(17)270301(3103)001250",
        "00395060001343000008",
        "https://id.gs1.org/01/09506000134352/21/400",
        "urn:epc:id:sgtin:9506000.013435.400",
        "01/09506000134352/10/AB-12%2F7",
    ],
)
def test_parse_says_what_its_schema_says(text: str) -> None:
    """`parse --json` is valid under its published schema, whatever it is given."""
    ran = CliRunner().invoke(program, ["parse", "--json", text])
    assert ran.exception is None, ran.exception
    check("parse", ran.output)
