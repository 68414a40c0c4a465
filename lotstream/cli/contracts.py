"""Writes docs/schemas/ and docs/topics.md: `python -m lotstream.cli.contracts [--check]`.

JSON Schemas (draft 2020-12) of every message of every topic and of every answer that `--json` prints; the topics
table as a page, which is also the list of rights that a broker with ACLs has to grant.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from lotstream.cli.dlq_answers import DeadLetterDeeds, DeadLetters, DeadLetterShown
from lotstream.cli.epcis_answers import EpcisCheck, EpcisHash
from lotstream.cli.events_answers import EventsLoad
from lotstream.cli.findings import Diagnosis
from lotstream.cli.imports_answers import Imported
from lotstream.cli.lot_decide import Numbered
from lotstream.cli.replay import Replayed
from lotstream.cli.wanted import wanted_topics
from lotstream.readers.imports.ledger import Imports
from lotstream.recall.answers import ANSWERS
from lotstream.recall.case_answers import Cases, CaseStatus, ScopeChange
from lotstream.recall.fsma_answer import Fsma
from lotstream.recall.mass_answer import MassBalance
from lotstream.recall.record import TestRecord
from lotstream.recall.report.dossier import Dossier
from lotstream.recall.report.model import Explanation, Report
from lotstream.recall.sql import SqlAnswer
from lotstream.recall.steps import Steps
from lotstream.recall.trace_answer import Trace
from lotstream.recall.verify import Verified
from lotstream.runtime.pages import ROOT, keep, table
from lotstream.runtime.settings import Settings
from lotstream.schemas.alerts import Alert
from lotstream.schemas.documents import DocumentLine, DocumentRecord, QuantityFact, Transformation
from lotstream.schemas.events import (
    DocumentSaid,
    HoldDecision,
    LotChange,
    LotClaim,
    QuantityScan,
    RecallDecision,
    SiteMapping,
    TraceEvent,
)
from lotstream.schemas.identifiers.describe import Description
from lotstream.schemas.identity import BindingBatch
from lotstream.schemas.lots import HoldRecord, LotNumber, LotRecord
from lotstream.schemas.movements import LotLocations, MovementBatch
from lotstream.schemas.operations import BlindWindow, DeadLetter, Operation
from lotstream.schemas.reads import ReadBatch, ReaderEvent, SourceEnd, Tick
from lotstream.schemas.sightings import LotSightingBatch, SightingBatch
from lotstream.schemas.topics import TOPICS, Topic
from lotstream.schemas.unit_lots import UnitLotsBatch
from lotstream.schemas.unit_parents import UnitParentsBatch

MODULE = "lotstream.cli.contracts"
SCHEMAS = ROOT / "docs" / "schemas"
PAGE = ROOT / "docs" / "topics.md"

MODELS: Mapping[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        ReadBatch,
        ReaderEvent,
        Tick,
        SourceEnd,
        TraceEvent,
        QuantityScan,
        SiteMapping,
        LotClaim,
        LotChange,
        HoldDecision,
        DocumentSaid,
        RecallDecision,
        SightingBatch,
        BindingBatch,
        LotSightingBatch,
        UnitLotsBatch,
        UnitParentsBatch,
        LotRecord,
        HoldRecord,
        LotNumber,
        DocumentLine,
        DocumentRecord,
        QuantityFact,
        Transformation,
        MovementBatch,
        LotLocations,
        BlindWindow,
        Alert,
        DeadLetter,
        Operation,
    )
}

_HEAD = f"""# Topics

Generated from `schemas/topics.py` by `python -m {MODULE}`; not edited by hand.

Every topic gets the prefix of the [settings](settings.md) before its name, and one partition count that never changes
while the installation lives. `lotstream topics plan` compares a broker with this table, `topics apply` creates what is
missing, `topics export` prints the same as JSON for those who create topics by other means.

Messages are JSON in UTF-8; what a topic holds is told apart by `kind` and `v`. A reader has to pass over a `kind`
that it does not know. What is under *value* has its JSON Schema in `schemas/topics/`.

"""

_RIGHTS = """
## Rights

For a broker with ACLs: what each principal writes and reads. Every consumer group of ours begins with
`stream.group_prefix` and the topic prefix (right `READ` on the groups); producers are idempotent (`WRITE` is enough on
brokers from 3.0 on). `CREATE` is needed by `lotstream topics apply` alone; that one, `topics plan` and `doctor` need
`DESCRIBE_CONFIGS`.

"""


def models_of(topic: Topic) -> list[type[BaseModel]]:
    """The models that the table names as values of a topic."""
    return [MODELS[word] for word in re.findall(r"\w+", topic.value) if word in MODELS]


def schemas() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every schema with the place it is published at."""
    for topic in TOPICS:
        for model in models_of(topic):
            found = model.model_json_schema(schema_generator=_Schema, mode="validation")
            yield SCHEMAS / "topics" / f"{topic.name}.{model.__name__}.json", _named(found, topic.name, model.__name__)
    answers: Sequence[type[BaseModel]] = (
        *ANSWERS,
        Trace,
        Cases,
        CaseStatus,
        ScopeChange,
        TestRecord,
        Fsma,
        Steps,
        MassBalance,
        Report,
        Explanation,
        Dossier,
        SqlAnswer,
        Verified,
        Diagnosis,
        Replayed,
        Numbered,
        EpcisCheck,
        EpcisHash,
        EventsLoad,
        Imported,
        Imports,
        DeadLetters,
        DeadLetterShown,
        DeadLetterDeeds,
    )
    for answer in answers:
        kind = str(answer.model_fields["kind"].default)
        yield _answer(kind, answer.model_json_schema(schema_generator=_Schema, mode="serialization"))
    yield _answer("parse", _parse())


def _answer(kind: str, found: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    return SCHEMAS / "answers" / f"{kind}.json", _named(found, "answers", kind)


def _parse() -> dict[str, Any]:
    """What `parse --json` prints: the description behind its kind and version."""
    found = TypeAdapter(Description).json_schema(schema_generator=_Schema, mode="serialization")
    found["properties"] = {"kind": {"const": "parse"}, "v": {"const": 1}, **found["properties"]}
    return found | {"required": [*found["properties"]], "additionalProperties": False}


class _Schema(GenerateJsonSchema):
    """Names its dialect."""

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> dict[str, Any]:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}


def _named(found: dict[str, Any], *path: str) -> dict[str, Any]:
    return {"$schema": found["$schema"], "$id": f"urn:lotstream:{':'.join(path)}", **found}


def text_of(schema: dict[str, Any]) -> str:
    """A schema as it is published."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode() + "\n"


def page() -> str:
    """docs/topics.md."""
    wanted = {topic.name: topic for topic in wanted_topics(Settings())}
    rows = [
        (
            f"`{topic.name}`",
            topic.key,
            _value(topic),
            _kept(topic),
            ", ".join(topic.writers),
            ", ".join(topic.readers),
            "<br>".join(f"`{name}={value}`" for name, value in sorted(wanted[topic.name].config.items())),
        )
        for topic in TOPICS
    ]
    head = ("topic", "partitioned by", "value", "kept", "written by", "read by", "settings on the broker")
    return _HEAD + table(head, rows) + _RIGHTS + table(("principal", "writes", "reads"), _rights())


def _value(topic: Topic) -> str:
    def linked(match: re.Match[str]) -> str:
        name = match.group()
        return f"[{name}](schemas/topics/{topic.name}.{name}.json)" if name in MODELS else name

    return re.sub(r"\w+", linked, topic.value)


def _kept(topic: Topic) -> str:
    if topic.kept is None:
        return "compacted"
    days = Settings().topics.retention_ms(topic.kept)
    return f"`topics.{topic.kept}_days`, " + ("for ever" if days == -1 else f"{days // 86_400_000} days")


def _rights() -> Iterator[Sequence[str]]:
    principals = sorted({name for topic in TOPICS for name in (*topic.writers, *topic.readers)})
    for principal in principals:
        writes = ", ".join(f"`{topic.name}`" for topic in TOPICS if principal in topic.writers)
        reads = ", ".join(f"`{topic.name}`" for topic in TOPICS if principal in topic.readers)
        yield principal, writes or "nothing", reads or "nothing"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check every file; what no model has any more is removed, or makes the check fail."""
    given = sys.argv[1:] if arguments is None else arguments
    published = {path: text_of(schema) for path, schema in schemas()}
    failed = [keep(path, text, module=MODULE, arguments=given) for path, text in published.items()]
    failed.append(keep(PAGE, page(), module=MODULE, arguments=given))
    for stray in sorted({*SCHEMAS.rglob("*.json")} - {*published}):
        if "--check" in given:
            sys.stderr.write(f"Expected no {stray.name}, got one of a former model: run `python -m {MODULE}`.\n")
            failed.append(1)
        else:
            stray.unlink()
    return max(failed)


if __name__ == "__main__":
    sys.exit(main())
