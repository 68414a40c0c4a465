"""Every public reader vector and EPCIS document through a whole stack: found in the history, or a dead letter.

The files lie beside the project; without them these tests are skipped, and test_small_vectors.py stands in.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("shared_data")]

# the key of each EPC in the vectors; what is no GS1 key is its whole hex
KEYS = {"3074257BF7194E4000001A85": "01/80614141123458/21/6789"}
READER_EVENTS = {  # kind: (type, port, state)
    "antenna_connected": ("antenna", 4, "connected"),
    "antenna_disconnected": ("antenna", 4, "disconnected"),
    "antenna_activation": ("antenna", 2, "active"),
    "inventory_status": ("status", None, None),
    "overflow": ("overflow", None, ""),
    "gpi_transition": ("gpi", 1, "low-to-high"),
    "heartbeat": ("heartbeat", None, "running"),
    "heartbeat_newer": ("heartbeat", None, "running"),
    "gpi": ("gpi", 1, "HIGH"),
    "gpo": ("other", None, "HIGH"),
    "error": ("diagnostic", None, "radio disconnected"),
    "warning": ("diagnostic", None, "cpu high"),
    "other_ble": ("other", None, ""),
}
PROCEED = {"GS1_Capture_Error_Behaviour": "proceed"}


@dataclass(frozen=True)
class Row:
    """One vector: a request body of a reader, and what is in it."""

    file: Path
    vendor: str
    kind: str
    payload: Any
    expect: list[dict[str, Any]] | None

    @property
    def source(self) -> str:
        return f"file:{quote(self.file.name)}"

    @property
    def reader(self) -> str:
        """Who the payload says it is; else the source stands in."""
        first = self.payload[0] if isinstance(self.payload, list) else self.payload
        if isinstance(first, str):
            return self.source
        return str(first.get("hostname") or first.get("data", {}).get("MAC") or self.source)

    @property
    def items(self) -> list[str]:
        """The text of each item, as sent."""
        if isinstance(self.payload, list):
            return [json.dumps(item) for item in self.payload]
        return [json.dumps(self.payload)] if isinstance(self.payload, dict) else [""] * len(self.expect or ())


@dataclass
class Sent:
    """What was sent by requests, what the gateway answered, and what the history said afterwards."""

    rows: list[Row]
    documents: dict[str, Path]
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def sent(shared_data: Path, stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """All files, each as a request of its own, and everything that came of them."""
    folder = tmp_path_factory.mktemp("vectors")
    found = Sent(list(rows_of(shared_data / "readers", folder)), dict(documents_of(shared_data / "epcis")))
    for row in found.rows:
        answer = stack.post(f"/readers/{row.vendor}", row.file.read_bytes(), source=row.source)
        assert answer.status_code == 200, (row.file.name, answer.text)
        found.answers[row.file.name] = answer.json()
        stack.end(row.source)
    for name, path in found.documents.items():
        answer = stack.post("/epcis/capture", path.read_bytes(), source=f"file:{quote(path.name)}", **PROCEED)
        assert answer.status_code in (202, 400), (name, answer.text)
        found.answers[name] = answer.json()
    stack.settle()
    found.facts = facts(stack, found)
    return found


def rows_of(folder: Path, into: Path) -> Iterator[Row]:
    """The rows of the reader files, each payload in a file of its own."""
    for vendor in ("impinj", "zebra", "keonn"):
        lines = (folder / f"{vendor}.jsonl").read_text(encoding="utf-8").splitlines()
        for number, row in enumerate(map(json.loads, lines), start=1):
            payload = row["payload"]
            text = payload if isinstance(payload, str) else json.dumps(payload)
            ending = "xml" if text.startswith("<") else "ndjson" if row["kind"] == "http_stream" else "json"
            file = into / f"{vendor}-{number:02}.{ending}"
            file.write_text(text, encoding="utf-8", newline="")
            yield Row(file, vendor, row["kind"], payload, row["expect"])


def documents_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every JSON document, by its path in the folder."""
    for part in ("json", "openepcis_valid"):
        for path in sorted((folder / part).rglob("*.json*")):
            yield str(path.relative_to(folder)), path


def facts(stack: Any, found: Sent) -> dict[str, Any]:
    """The facts in force that these files made, without what differs between two arrivals of the same."""
    readers = sorted({row.reader for row in found.rows})
    sources = sorted({row.source for row in found.rows} | {f"file:{quote(p.name)}" for p in found.documents.values()})
    said = {
        name: sorted(map(repr, stack.rows(query, readers=readers, sources=sources))) for name, query in FACTS.items()
    }
    return said | {"dead letters": stack.letters(sources=sources)}


FACTS = {
    "sightings": """
        SELECT tag, read_point, slot, lane, origin, path, location, first_at, last_at, reads, toString(state), marks,
               toString(evidence), event, biz_step, disposition, document, line, party, runs
        FROM (SELECT * FROM sightings WHERE reader IN {readers:Array(String)} OR event != ''
              ORDER BY version DESC LIMIT 1 BY tag, read_point, slot, lane, origin, path)""",
    "lot facts": """
        SELECT lot, tag, read_point, slot, lane, origin, path, location, first_at, last_at, reads, event, retracted
        FROM lot_facts""",
    "units": "SELECT lot, tag, location, disposition, toString(evidence), last_at FROM unit_places",
    "bindings": """
        SELECT DISTINCT toString(relation), subject, first_serial, last_serial, object, toString(action), at, event,
               retracted FROM bindings""",
    "lots": "SELECT * FROM lot_master",
    "lines": """
        SELECT DISTINCT document, line, event, biz_step, at, lot, units, amount, uom, from_party, to_party,
               from_location, to_location, retracted FROM document_lines""",
    "quantities": "SELECT * EXCEPT recorded_at FROM lot_quantities",
    "stock": "SELECT * FROM quantity_places",
    "events": "SELECT event, error, at, action, text, source FROM events FINAL",
    "reader events": """
        SELECT reader, read_point, at, type, vendor_type, port, state, lost, text FROM reader_events FINAL
        WHERE reader IN {readers:Array(String)}""",
    "blind windows": """
        SELECT DISTINCT subject, cause, from_at, until_at, lost FROM blind_windows
        WHERE subject IN (SELECT read_point FROM reader_events WHERE reader IN {readers:Array(String)})""",
}


def hundredths(dbm: float | None) -> dict[str, int]:
    return {} if dbm is None else {"rssi": round(dbm * 100)}


def reads_of(stack: Any, row: Row) -> list[Any]:
    """The reads that the vector's oracle says."""
    return [
        stack.read(
            reader=row.reader,
            tag=KEYS.get(one["epc_hex"], f"hex/{one['epc_hex']}"),
            time=one["time"],
            antenna=one["antenna"] or 0,
            count=one.get("seen_count") or 1,
            **hundredths(one["rssi_dbm"]),
        )
        for one in row.expect or ()
    ]


def test_every_read_is_found(stack: Any, sent: Sent) -> None:
    """Each read of the oracle is in a final sighting of its tag, with antenna, strength and time; nothing else is."""
    stack.check_reads(read for row in sent.rows for read in reads_of(stack, row))


def test_reads_are_where_the_mapping_says(stack: Any, sent: Sent) -> None:
    """Known readers' sightings are at their read point, the others at one that bears their name."""
    known = {"impinj-01-23-45": ("dock", "hall"), "C4:7D:CC:FF:FF:FF": ("belt", "hall")}
    readers = {row.reader for row in sent.rows if row.expect}
    found = stack.places(readers=readers)
    assert found == {name: {known.get(name, (f"unmapped/{name}",) * 2)} for name in readers}


def test_every_reader_event_is_found(stack: Any, sent: Sent) -> None:
    """What is no read is a reader event with the vendor's own text, where and when it happened."""
    wanted = set()
    for row in sent.rows:
        if row.expect == []:
            (text,) = row.items
            kind, port, state = READER_EVENTS[row.kind]
            if row.kind == "inventory_status":
                body = row.payload["inventoryStatusEvent"]
                state = body.get("status", body.get("inventoryStatus"))
            name = row.payload.get("eventType") or row.payload["type"]
            at = stack.micros(row.payload["timestamp"])
            point = "dock" if row.reader == "impinj-01-23-45" else f"unmapped/{row.reader}"
            wanted.add((row.reader, point, at, kind, name, port, state, text))
    found = stack.rows(
        """SELECT toString(reader), toString(read_point), toUnixTimestamp64Micro(at), toString(type),
                  toString(vendor_type), port, toString(state), text
           FROM reader_events FINAL WHERE reader IN {readers:Array(String)}""",
        readers=sorted({row.reader for row in sent.rows}),
    )
    assert len(found) == len(wanted)
    assert set(found) == wanted


def test_losses_are_blind_windows(stack: Any, sent: Sent) -> None:
    """What readers say they lost is a blind window with their own figures."""
    wanted = set()
    for row in sent.rows:
        if row.kind == "overflow":
            body = row.payload["overflowEvent"]
            span = (stack.micros(body["firstEventTimestamp"]), stack.micros(body["lastEventTimestamp"]))
            wanted.add(("dock", "overflow", *span, body["eventsPurged"]))
        if row.kind.startswith("heartbeat"):
            at = stack.micros(row.payload["timestamp"])
            up_us = ((5 * 60 + 19) * 60 + 29) * 1_000_000
            wanted.add((f"unmapped/{row.reader}", "discarded", at - up_us, at, 12))
    found = stack.rows(
        """SELECT DISTINCT toString(subject), toString(cause), toUnixTimestamp64Micro(from_at),
                  toUnixTimestamp64Micro(assumeNotNull(until_at)), lost
           FROM blind_windows WHERE subject IN {subjects:Array(String)}""",
        subjects=sorted({subject for subject, *_ in wanted}),
    )
    assert set(found) == wanted


def test_no_reader_item_is_in_between(stack: Any, sent: Sent) -> None:
    """Of every vector: items sent = reads + reader events + dead letters, in the answer and in the history."""
    letters = stack.letters(sources={row.source for row in sent.rows})
    for row in sent.rows:
        said = sent.answers[row.file.name]
        mine = [letter for letter in letters if letter.source == row.source]
        wrong = row.expect is None
        assert said["accepted"] == len(row.expect or ()), row.file.name
        assert said["reader_events"] == (row.expect == [])
        assert said["rejected"] == len(mine) == wrong
        assert said["accepted"] + said["reader_events"] + len(mine) == len(row.items)
        if wrong:
            assert [(one.stage, one.reason, one.field) for one in mine] == [("gateway", "identifier_invalid", "epc")]
            assert mine[0].value == row.file.read_bytes()
    assert {letter.source for letter in letters} == {row.source for row in sent.rows if row.expect is None}


class Members(list[tuple[str, Any]]):
    """The members of a JSON object, in their order."""

    def get(self, name: str) -> Any:
        return next((value for found, value in self if found == name), None)


@dataclass(frozen=True)
class Event:
    """One event of a document, as sent; `hash` is '' when it was refused."""

    file: str
    index: int
    hash: str
    value: dict[str, Any]
    spelled: Members
    context: Any

    @property
    def wrong(self) -> bool:
        return "errorDeclaration" in self.value

    def under_context(self) -> Members:
        """The event under the context of its document, as `exact` says it."""
        if self.context is None:
            return self.spelled
        own = self.spelled.get("@context")
        if own is None:
            return Members([("@context", self.context), *self.spelled])
        both = [*_listed(self.context), *_listed(own)]
        return Members((name, both if name == "@context" else value) for name, value in self.spelled)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) and not isinstance(value, Members) else [value]


REFUSED = {  # (file, index): (reason, field)
    ("openepcis_valid/Capture/Documents/Combination_of_different_event.json", 0): (
        "check_digit_invalid",
        "epcList.0",
    ),
    ("openepcis_valid/Query/Combination_of_different_event.json", 0): ("check_digit_invalid", "epcList.0"),
    ("openepcis_valid/Query/queryDocument.json", 0): ("check_digit_invalid", "epcList.0"),
    ("openepcis_valid/Capture/Documents/SensorData_with_combined_events.json", 8): (
        "schema_invalid",
        "sensorElementList.0.sensorReport.0.type",
    ),
    ("openepcis_valid/Query/SensorData_with_combined_events.json", 8): (
        "schema_invalid",
        "sensorElementList.0.sensorReport.0.type",
    ),
    ("openepcis_valid/Query/Queries/SimpleEventQuery.json", 0): ("schema_invalid", "type"),
}


@pytest.fixture(scope="module")
def events(sent: Sent) -> list[Event]:
    """Every event of the documents, in the order of sending, with the hash that the gateway answered."""
    found: list[Event] = []
    for name, path in sent.documents.items():
        text = path.read_text(encoding="utf-8")
        document, spelled = json.loads(text), exact(text)
        values, pieces, context = [document], [spelled], None
        for way in (("epcisBody", "eventList"), ("epcisBody", "queryResults", "resultsBody", "eventList")):
            inner = reduce(lambda value, step: value.get(step) or {}, way, document)
            if inner:
                values, context = inner, spelled.get("@context")
                pieces = reduce(lambda value, step: value.get(step), way, spelled)
        answered = iter(sent.answers[name].get("events", ()))
        for index, (value, piece) in enumerate(zip(values, pieces, strict=True)):
            said = "" if (name, index) in REFUSED else next(answered)
            found.append(Event(name, index, said, value, piece, context))
        assert next(answered, None) is None
    return found


def test_no_event_is_in_between(stack: Any, sent: Sent, events: list[Event]) -> None:
    """Of every document: events sent = events found by their hash + dead letters, their bytes as they were sent."""
    there = {name for (name,) in stack.rows("SELECT DISTINCT event FROM events")}
    of_file: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        of_file[event.file].append(event)
    letters = set()
    for name, mine in of_file.items():
        path, said = sent.documents[name], sent.answers[name]
        refused = [event for event in mine if not event.hash]
        assert all(event.hash in there for event in mine if event.hash), name
        assert (said["accepted"], said["rejected"]) == (len(mine) - len(refused), len(refused)), name
        for event in refused:
            source = f"file:{quote(path.name)}"
            where = f"epcis:{source}:0:{event.index}"
            letters.add((source, "gateway", *REFUSED[name, event.index], where, spelled(path, event)))
    sources = {f"file:{quote(path.name)}" for path in sent.documents.values()}
    assert {astuple(letter) for letter in stack.letters(sources=sources)} == letters


def spelled(path: Path, event: Event) -> bytes:
    """The bytes of a refused event in its document; of what is no document, all."""
    text = path.read_bytes().decode()
    if event.context is None or REFUSED[event.file, event.index][0] == "json_invalid":
        return text.strip().encode() if event.context is None else text.encode()
    start = text.index("[", text.index('"eventList"')) + 1
    for _ in range(event.index + 1):
        start = text.index("{", start)
        _, end = json.JSONDecoder().raw_decode(text, start)
        piece, start = text[start:end], end
    return piece.encode()


def test_every_event_is_kept_as_sent(stack: Any, events: list[Event]) -> None:
    """The history has each event's own text, to the digit and in its order, under the context of its document."""
    sent_first: dict[tuple[str, bool], Event] = {}
    for event in events:
        if event.hash:
            sent_first.setdefault((event.hash, event.wrong), event)
    found = {(name, wrong): text for name, wrong, text in stack.rows("SELECT event, error, text FROM events FINAL")}
    for key, event in sent_first.items():
        assert exact(found[key]) == event.under_context(), (event.file, event.index)


def test_replay_gives_the_same_tables(stack: Any, sent: Sent) -> None:
    """`lotstream replay` of the same files takes and refuses the same, and repeated it changes no fact."""
    files = [row.file for row in sent.rows] + list(sent.documents.values())
    names = [row.file.name for row in sent.rows] + list(sent.documents)
    for _ in range(2):
        done = stack.run("replay", "--json", *files)
        assert done.returncode == 0, done.stderr
        for name, file, said in zip(names, files, json.loads(done.stdout)["files"], strict=True):
            answer = sent.answers[name]
            wanted = (str(file), 1, answer["accepted"], answer["rejected"])
            assert (said["file"], said["requests"], said["accepted"], said["rejected"]) == wanted
    stack.settle()
    again = facts(stack, sent)
    for name, rows in sent.facts.items():
        assert again[name] == rows, name


def exact(text: str) -> Any:
    """JSON with its numbers as they are spelled and its members in their order."""
    return json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=Members)
