"""Small vectors of every format through a whole stack: what is valid is found again, the rest is a dead letter."""

import gzip
import json
import time
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system

ITEM_HEX, ITEM = "3034257BF468D480000186A0", "01/10614141073464/21/100000"
PALLET_HEX, PALLET = "3174257BF4499602D2000000", "00/106141412345678908"
FOREIGN_HEX = "E28011606000020497CB0065"
AT = "2026-03-02T10:00:00.250Z"
LATER = "2026-03-02T10:00:01.750Z"
LABEL = "]C1010952012345678810A\x1d3103001250"
SCANNED_CASE = "]C100095201234567891235"
SCANNED_ITEM = "]d20109520123456788217ABC"
FORMATS = ("impinj", "zebra", "keonn")


def impinj(word: str = ITEM_HEX, *, antenna: int = 1, at: str = AT, host: str = "", **more: Any) -> dict[str, Any]:
    tag = {"epcHex": word, "antennaPort": antenna, "peakRssiCdbm": -5150, **more}
    event = {"timestamp": at, "eventType": "tagInventory", "tagInventoryEvent": tag}
    return event | ({"hostname": host} if host else {})


def zebra(epc: str = ITEM_HEX, *, antenna: int = 1, at: str = AT, **more: Any) -> dict[str, Any]:
    return {
        "type": "SIMPLE",
        "timestamp": at,
        "data": {"idHex": epc.lower(), "antenna": antenna, "peakRssi": -51.5, "format": "epc", **more},
    }


def keonn(*items: tuple[str, str]) -> str:
    inner = "".join(f"<item><epc>{epc}</epc><ts>{ts}</ts></item>" for epc, ts in items)
    return f"<inventory><type>inventory</type><data><inventory><items>{inner}</items></inventory></data></inventory>"


def epcis(serial: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": AT,
        "eventTimeZoneOffset": "+00:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "epcList": [f"urn:epc:id:sgtin:9521321.012345.{serial}"],
        "readPoint": {"id": "https://example.org/plant"},
        "ilmd": {"cbvmda:lotNumber": "SMALL"},
        **more,
    }


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request and what must come of it: reads as arguments of an expected one, letters as (reason, field, bytes)."""

    door: str
    body: bytes | str
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    accepted: int | None = None
    reads: list[dict[str, Any]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    letters: list[tuple[str, str, bytes]] = field(default_factory=list)


def text(*items: Any) -> str:
    return json.dumps(list(items))


def read(tag: str = ITEM, *, at: str = AT, antenna: int = 1, rssi: int = -5150, **more: Any) -> dict[str, Any]:
    return {"tag": tag, "time": at, "antenna": antenna, "rssi": rssi, **more}


SILENT = {"antenna": 0, "rssi": -(2**31)}
GPI = {"timestamp": AT, "eventType": "gpiTransition", "gpiTransitionEvent": {"gpi": 1, "transition": "low-to-high"}}
BAD = {"neither": "fish", "nor": 1.50}
CUT = b'{"timestamp": "2026-03-02T'
HEARTBEAT = {
    "type": "heartbeat",
    "timestamp": AT,
    "data": {"radio_control": {"status": "running"}, "reader_gateway": {"numDataMessagesDropped": 0}},
}
GARBAGE = bytes(range(256))
ROWS = {"report": {"tags": [{"epc": ITEM_HEX, "seen": 1772445600250, "port": 4, "dbm": -51.5}, {"epc": "30"}]}}
NATIVE = {"reader": "r", "t0_us": 1772445600250000, "tags": [ITEM_HEX], "tag": [0], "antenna": [1], "last": [0]}
PROCEED = {"GS1_Capture_Error_Behaviour": "proceed"}
FALSE_LABEL = json.dumps({"data": "]C100095201234567891234", "time": AT})
WRONG_EVENT = json.dumps(epcis(2, bizStep="shipped"), indent=1)

CASES = {
    "impinj-array": Case(
        door="/readers/impinj",
        body=text(impinj(), impinj(PALLET_HEX, antenna=2, at=LATER), GPI, BAD, impinj(FOREIGN_HEX)),
        reads=[read(), read(PALLET, at=LATER, antenna=2), read(f"hex/{FOREIGN_HEX}")],
        events=[json.dumps(GPI)],
        letters=[("unknown_format", "eventType", json.dumps(BAD).encode())],
    ),
    "impinj-stream": Case(
        door="/readers/impinj",
        body=json.dumps(impinj()).encode() + b"\r\n\r\n" + CUT + b"\r\n" + json.dumps(impinj(at=LATER)).encode(),
        reads=[read(), read(at=LATER)],
        letters=[("json_invalid", "", CUT)],
    ),
    "impinj-base64": Case(
        door="/readers/impinj",
        body=text(
            impinj("", epcHex=None, epc="MDQle_Ro1IAAAYag"),
            impinj("", epcHex=None, epc="E200001234567890"),
            impinj(epc="MDQle_Ro1IAAAYah"),
        ),
        reads=[read()],
        letters=[
            ("identifier_invalid", "epc", json.dumps(impinj("", epcHex=None, epc="E200001234567890")).encode()),
            ("contradiction", "epc", json.dumps(impinj(epc="MDQle_Ro1IAAAYah")).encode()),
        ],
    ),
    "impinj-gzip": Case(
        door="/readers/impinj",
        body=gzip.compress(text(impinj(), BAD).encode()),
        headers={"Content_Encoding": "gzip"},
        reads=[read()],
        letters=[("unknown_format", "eventType", json.dumps(BAD).encode())],
    ),
    "impinj-broken-gzip": Case(
        door="/readers/impinj",
        body=gzip.compress(text(impinj()).encode())[:-9],
        headers={"Content_Encoding": "gzip"},
        status=415,
    ),
    "impinj-1970": Case(
        door="/readers/impinj",
        body=text(impinj(at="1970-01-01T00:03:20Z"), impinj()),
        reads=[read()],
        letters=[("time_implausible", "time", json.dumps(impinj(at="1970-01-01T00:03:20Z")).encode())],
    ),
    "zebra-batch": Case(
        door="/readers/zebra",
        body=text(zebra(reads=7), zebra(PALLET_HEX, antenna=2, at="2026-03-02T11:00:01.750+0100"), HEARTBEAT),
        reads=[read(count=7), read(PALLET, at=LATER, antenna=2)],
        events=[json.dumps(HEARTBEAT)],
    ),
    "zebra-end-to-end": Case(
        door="/readers/zebra",
        body=json.dumps(zebra()) + json.dumps(zebra("3")) + json.dumps(zebra(at=LATER)),
        reads=[read(), read(at=LATER)],
        letters=[("identifier_invalid", "data.idHex", json.dumps(zebra("3")).encode())],
    ),
    "zebra-buffered": Case(
        door="/readers/zebra",
        body=text(zebra(at=LATER), zebra(), zebra(at="1970-01-01T00:00:09.250+0000")),
        headers={"Lotstream_Origin": "buffered"},
        reads=[read(), read(at=LATER)],
        letters=[("time_implausible", "time", json.dumps(zebra(at="1970-01-01T00:00:09.250+0000")).encode())],
    ),
    "keonn-items": Case(
        door="/readers/keonn",
        body=keonn((ITEM_HEX.lower(), "1772445600250"), ("3", "1772445600250"), (PALLET_HEX, "soon")),
        reads=[read(**SILENT)],
        letters=[
            ("identifier_invalid", "epc", b"<item><epc>3</epc><ts>1772445600250</ts></item>"),
            ("schema_invalid", "ts", f"<item><epc>{PALLET_HEX}</epc><ts>soon</ts></item>".encode()),
        ],
    ),
    "keonn-cut": Case(
        door="/readers/keonn",
        body=keonn((ITEM_HEX, "1772445600250"))[:-9],
        letters=[("xml_invalid", "", keonn((ITEM_HEX, "1772445600250"))[:-9].encode())],
    ),
    **{
        f"{vendor}-garbage": Case(
            door=f"/readers/{vendor}",
            body=GARBAGE,
            letters=[("encoding_invalid" if vendor == "keonn" else "json_invalid", "", GARBAGE)],
        )
        for vendor in FORMATS
    },
    **{f"{vendor}-keep-alive": Case(door=f"/readers/{vendor}", body=b"\r\n\r\n") for vendor in ("impinj", "zebra")},
    "scans-units": Case(
        door="/scans",
        body=f"[{json.dumps({'data': SCANNED_CASE, 'time': AT})}, {json.dumps({'data': SCANNED_ITEM, 'time': LATER})}"
        f", {FALSE_LABEL}]",
        reads=[read("00/095201234567891235", **SILENT), read("01/09520123456788/21/7ABC", at=LATER, **SILENT)],
        letters=[("check_digit_invalid", "", FALSE_LABEL.encode())],
    ),
    "reads-json": Case(
        door="/reads?mapping=wms",
        body=json.dumps(ROWS),
        reads=[read(antenna=4)],
        letters=[("schema_invalid", "seen", b'{"epc": "30"}')],
    ),
    "reads-csv": Case(
        door="/reads?mapping=table",
        body=f"tag;time;times\n{ITEM};{AT};3\n{ITEM_HEX};{LATER};\n{ITEM};{AT}\n",
        reads=[read(**SILENT, count=3), read(at=LATER, **SILENT)],
        letters=[("csv_invalid", "", f"{ITEM};{AT}".encode())],
    ),
    "batches": Case(
        door="/batches", body=json.dumps(NATIVE | {"reader": "batches"}), reads=[read(rssi=SILENT["rssi"])]
    ),
    "batches-wrong": Case(door="/batches", body=json.dumps(NATIVE | {"antenna": [256]}), status=400),
    "events-proceed": Case(
        door="/events",
        body=f"[{json.dumps(epcis(1))}, {WRONG_EVENT}]",
        headers=PROCEED,
        status=201,
        accepted=1,
        letters=[("schema_invalid", "bizStep", WRONG_EVENT.encode())],
    ),
    "events-rollback": Case(door="/events", body=text(epcis(3), epcis(4, bizStep="shipped")), status=400, accepted=0),
    "events-no-document": Case(
        door="/events",
        body=b'{"type": "EPCISDocument"}',
        headers=PROCEED,
        status=400,
        accepted=0,
        letters=[("schema_invalid", "@context", b'{"type": "EPCISDocument"}')],
    ),
}


@pytest.fixture(scope="module")
def answers(stack: Any) -> dict[str, Any]:
    """Every case sent under its name, ended and worked off: name -> (status, answer)."""
    found = {}
    for name, case in CASES.items():
        answer = stack.post(case.door, case.body, source=name, **case.headers)
        found[name] = (answer.status_code, answer.json())
        stack.end(name)
    stack.settle()
    return found


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_in_between(name: str, stack: Any, answers: dict[str, Any]) -> None:
    """What of a request is valid is found in the history, what is not is a dead letter, and the answer counts both."""
    case, (status, said) = CASES[name], answers[name]
    assert status == case.status, said
    wanted = [stack.read(reader=name, **one) for one in case.reads]
    assert stack.check_reads(wanted, readers={name}) == len(case.reads)
    texts = stack.rows("SELECT text FROM reader_events FINAL WHERE reader = {reader:String}", reader=name)
    assert [row[0] for row in texts] == case.events
    letters = {(*astuple(letter)[2:4], letter.value) for letter in stack.letters(sources={name})}
    assert letters == set(case.letters)
    if status < 300 or case.letters:
        assert said["accepted"] == (len(case.reads) if case.accepted is None else case.accepted)
        assert said["rejected"] == len(case.letters)
        assert said.get("reader_events", 0) == len(case.events)


def test_a_label_is_so_much_of_its_lot(stack: Any, answers: dict[str, Any]) -> None:
    """A label with a lot and a weight moves them as the scanner's job says, once however often it is sent."""
    label = {"scanner": "handheld", "data": LABEL, "time": AT, "boot": "b", "sequence": 1, "line": "2"}
    for _ in range(2):
        said = stack.post("/scans", text(label, label | {"sequence": 2}), source="labels").json()
        assert (said["accepted"], said["rejected"]) == (2, 0)
    stack.settle()
    query = """SELECT toString(source), toString(location), toString(disposition), toString(amount), uom, cases, line
               FROM lot_quantities WHERE lot = '01/09520123456788/10/A' ORDER BY identity"""
    assert stack.rows(query) == [("hall", "shop", "in_transit", "1.25", "KGM", 1, "2")] * 2


def test_lines_of_a_scanner_without_a_clock(stack: Any, answers: dict[str, Any]) -> None:
    """Plain text is a label's data a line; without a time of its own a scan happened when it came in."""
    before = datetime.now(UTC)
    body = f"{SCANNED_CASE}\r\n]C100095201234567891234\n{SCANNED_ITEM}\n"
    said = stack.post("/scans", body, source="lines", Content_Type="text/plain").json()
    assert (said["accepted"], said["rejected"]) == (2, 1)
    stack.end("lines")
    stack.settle()
    rows = stack.rows("SELECT DISTINCT tag, toString(state), evidence, first_at FROM sightings WHERE reader = 'lines'")
    units = ["00/095201234567891235", "01/09520123456788/21/7ABC"]
    assert sorted(row[:3] for row in rows) == [(unit, "observed", "confirmed") for unit in units]
    assert all(before <= at.replace(tzinfo=UTC) <= datetime.now(UTC) for *_, at in rows)
    (letter,) = stack.letters(sources={"lines"})
    assert (letter.reason, letter.value) == ("check_digit_invalid", b"]C100095201234567891234")


def test_a_portal_tells_the_way(stack: Any, answers: dict[str, Any]) -> None:
    """Read outside first and inside then, a tag went in; the other way round it is outside now."""
    ways = [(ITEM_HEX, 3, AT), (ITEM_HEX, 1, LATER), (PALLET_HEX, 1, AT), (PALLET_HEX, 3, LATER)]
    body = text(*(impinj(word, antenna=antenna, at=at, host="portal") for word, antenna, at in ways))
    assert stack.post("/readers/impinj", body, source="walk").json()["accepted"] == 4
    stack.end("walk")
    stack.settle()
    rows = stack.rows(
        """SELECT tag, toString(location), toString(direction), toString(state), reads FROM sightings
           WHERE reader = 'portal' ORDER BY version DESC LIMIT 1 BY tag, slot, lane"""
    )
    assert sorted(rows) == [(PALLET, "yard", "outward", "observed", 2), (ITEM, "hall", "inward", "observed", 2)]


def test_live_clocks(stack: Any, answers: dict[str, Any]) -> None:
    """A live reader whose clock was never set is corrected to our time and said to be blind; kept reads stay old."""
    kept = datetime.now(UTC).replace(microsecond=250_000) - timedelta(hours=1)
    old = kept.isoformat().replace("+00:00", "+0000")
    before = time.time_ns() // 1_000
    live = {"Lotstream_Origin": "live"}
    unset = text(impinj(at="1970-01-01T00:03:20Z"), GPI | {"timestamp": "1970-01-01T00:03:20Z"})
    for name, vendor, body in (("unset", "impinj", unset), ("kept", "zebra", text(zebra(at=old)))):
        assert stack.post(f"/readers/{vendor}", body, source=name, **live).json()["accepted"] == 1
    until = time.monotonic() + 60
    final = "SELECT count() FROM sightings WHERE reader IN ('unset', 'kept') AND bitTest(marks, 0)"
    while stack.rows(final) != [(2,)]:
        assert time.monotonic() < until
        time.sleep(0.2)
    stack.check_reads([stack.read(reader="kept", **read(at=kept.isoformat()))])
    (((_, tag, _), seen),) = stack.seen(readers={"unset"}).items()
    assert (tag, seen.reads, seen.antennas) == (ITEM, 1, {1: (1, -5150)})
    assert before <= seen.first_us == seen.last_us <= time.time_ns() // 1_000
    happened = stack.rows("SELECT toUnixTimestamp64Micro(at) FROM reader_events FINAL WHERE reader = 'unset'")
    assert happened == [(seen.last_us,)]
    windows = stack.rows(
        "SELECT subject, cause FROM blind_windows WHERE subject IN ('unmapped/unset', 'unmapped/kept')"
    )
    assert windows == [("unmapped/unset", "clock")]
    assert not stack.letters(sources={"unset", "kept"})


def test_an_event_places_its_unit(stack: Any, answers: dict[str, Any]) -> None:
    """Of a document with a wrong event the good one is there: its text, its unit's lot and place."""
    (name,) = answers["events-proceed"][1]["events"]
    assert stack.rows("SELECT text FROM events FINAL WHERE event = {event:String}", event=name) == [
        (json.dumps(epcis(1), separators=(",", ":")),)
    ]
    units = stack.rows("SELECT tag, location, evidence FROM unit_places WHERE lot = '01/09521321123458/10/SMALL'")
    assert units == [("01/09521321123458/21/1", "https://example.org/plant", "declared")]


def test_a_wrong_batch_leaves_nothing(stack: Any, answers: dict[str, Any]) -> None:
    """Of a program's batch that was refused there is no read; the answer says which field is wrong."""
    assert answers["batches-wrong"][1]["field"] == "antenna"
    assert stack.check_reads([], readers={NATIVE["reader"]}) == 0


def test_replay_of_the_same_cases(stack: Any, answers: dict[str, Any], tmp_path: Path) -> None:
    """`lotstream replay` knows the formats by themselves, takes and refuses the same, and repeated changes nothing."""
    names = ["impinj-array", "zebra-batch", "zebra-end-to-end", "keonn-items", "scans-units", "events-proceed"]
    names += ["events-no-document"]
    files = [tmp_path / f"{name}.{'xml' if name.startswith('keonn') else 'json'}" for name in names]
    for name, file in zip(names, files, strict=True):
        body = CASES[name].body
        file.write_bytes(body if isinstance(body, bytes) else body.encode())
    found = []
    for _ in range(2):
        done = stack.run("replay", "--json", *files)
        assert done.returncode == 0, done.stderr
        for name, said in zip(names, json.loads(done.stdout)["files"], strict=True):
            case = CASES[name]
            accepted = len(case.reads) if case.accepted is None else case.accepted
            assert (name, said["accepted"], said["rejected"]) == (name, accepted, len(case.letters))
        stack.settle()
        sources = {f"file:{file.name}" for file in files}
        letters = sorted(map(astuple, stack.letters(sources=sources)))
        assert len(letters) == sum(len(CASES[name].letters) for name in names)
        found.append((stack.seen(readers=sources), letters))
    assert found[0] == found[1]
    assert len(found[0][0]) == sum(len(CASES[name].reads) for name in names) - 1  # zebra-end-to-end: one tag, one slot


def test_what_is_in_no_known_format_is_said(stack: Any, tmp_path: Path) -> None:
    """replay of a file that holds nothing known ends with a message that names it, and sends nothing."""
    file = tmp_path / "unknown.json"
    file.write_text(json.dumps([BAD]))
    done = stack.run("replay", file)
    assert done.returncode != 0
    assert "unknown.json" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
