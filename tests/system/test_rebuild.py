"""The history lost, and made again from a backup or an archive and the tail of the topics."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

pytestmark = pytest.mark.system


def epcis(lot: str, *serials: int, **more: Any) -> str:
    """An event about units of a lot."""
    event = {
        "type": "ObjectEvent",
        "eventTime": "2025-11-17T06:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "epcList": [f"urn:epc:id:sgtin:9521321.012345.{serial}" for serial in serials],
        "readPoint": {"id": "https://example.org/plant"},
        **(more or {"ilmd": {"cbvmda:lotNumber": lot}}),
    }
    return json.dumps(event)


@dataclass(frozen=True)
class Kept:
    """A stack with a backup and an archive of before its last data."""

    stack: Any
    backup: Path
    archive: Path

    def database(self, name: str) -> str:
        """A settings file of the same stack with another database."""
        file = self.stack.directory / f"{name}.toml"
        file.write_text(f'[clickhouse]\ndatabase = "{name}"\n')
        return str(file)

    def affected(self, *config: str) -> list[dict[str, Any]]:
        """The answers about both lots, but for the time that they took."""
        answers = []
        for lot in ("REBUILD-1", "REBUILD-2"):
            said = self.stack.run(*config, "affected", lot, "--json")
            assert said.returncode == 0, said.stdout + said.stderr
            answers.append({name: value for name, value in json.loads(said.stdout).items() if name != "milliseconds"})
        return answers


@pytest.fixture(scope="module")
def kept(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Two lots: one is known when the files are written, moves on afterwards, and the other comes then."""
    folder = tmp_path_factory.mktemp("kept")
    found = Kept(stack, folder / "backup", folder / "archive")

    def send(lot: str, *serials: int, source: str, reader: str) -> None:
        assert stack.post("/events", f"[{epcis(lot, *serials)}]", source=f"{source}-erp").is_success
        for second in (0, 1):
            body = impinj(serials, second=second, reader=reader)
            assert stack.post("/readers/impinj", body, source=source).json()["accepted"] == len(serials)
        stack.end(source)
        stack.settle()

    send("REBUILD-1", 71, 72, 73, source="rebuild-a", reader="aisle")
    for words in (("backup", found.backup), ("archive", found.archive)):
        said = stack.run(*words)
        assert said.returncode == 0, said.stdout + said.stderr
    shipping = {"action": "OBSERVE", "bizStep": "shipping", "eventTime": "2025-11-17T09:00:00Z"}
    shipping |= {"destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:9521321.00001.0"}]}
    moved = epcis("REBUILD-1", 71, **shipping)
    assert stack.post("/events", f"[{moved}]", source="rebuild-ship").is_success
    send("REBUILD-2", 81, 82, source="rebuild-b", reader="shelf")
    return found


def impinj(serials: tuple[int, ...], *, second: int, reader: str) -> str:
    """Reports of an Impinj reader: SGTIN-96, filter 1, a company prefix of 7 digits."""
    head = (0x30 << 88) | (1 << 85) | (5 << 82) | (9521321 << 58) | (12345 << 38)
    return json.dumps([
        {
            "timestamp": f"2025-11-17T07:00:0{second}.000Z",
            "hostname": reader,
            "eventType": "tagInventory",
            "tagInventoryEvent": {"epcHex": f"{head | serial:024X}", "antennaPort": 1},
        }
        for serial in serials
    ])  # fmt: skip


@pytest.mark.parametrize("kind", ["backup", "archive"])
def test_a_lost_history_comes_back(kept: Kept, kind: str) -> None:
    """From a backup as from an archive, with the tail of the topics, an empty database gives the same answers."""
    config = ("--config", kept.database(f"again_{kind}"))
    said = kept.stack.run(*config, "rebuild", "--from", kind, getattr(kept, kind))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "expected" not in said.stdout
    assert kept.affected(*config) == kept.affected()
    checked = kept.stack.run(*config, "verify", "REBUILD-1")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    again = kept.stack.run(*config, "rebuild", "--from", kind, getattr(kept, kind))
    assert (again.returncode, "Expected an empty database" in again.stderr) == (1, True)


def test_an_archive_grows(kept: Kept) -> None:
    """A second run adds what came since, and the archive alone, without the topics, gives the same answers."""
    before = json.loads((kept.archive / "manifest.json").read_text())
    assert kept.stack.run("archive", kept.archive).returncode == 0
    after = json.loads((kept.archive / "manifest.json").read_text())
    assert after["parts"][: len(before["parts"])] == before["parts"]
    assert len(after["parts"]) > len(before["parts"])
    config = ("--config", kept.database("alone"))
    said = kept.stack.run(*config, "rebuild", "--from", "archive", kept.archive, "--no-tail")
    assert said.returncode == 0, said.stdout + said.stderr
    assert kept.affected(*config) == kept.affected()


@pytest.mark.parametrize("kind", ["backup", "archive"])
def test_a_run_that_dies_has_written_nothing(kept: Kept, kind: str) -> None:
    """A process killed after its files and before its manifest leaves the former manifest in force, and valid."""
    folder = getattr(kept, kind)
    before = (folder / "manifest.json").read_bytes()
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOTSTREAM_")}
    died = subprocess.run(
        [sys.executable, "-m", "lotstream.cli.main", kind, folder],
        cwd=kept.stack.directory,
        env=env | {"LOTSTREAM_TEST_CRASH": f"{kind}:files written:1"},
        check=False,
    )
    assert died.returncode == -9
    assert (folder / "manifest.json").read_bytes() == before
    config = ("--config", kept.database(f"died_{kind}"))
    assert kept.stack.run(*config, "rebuild", "--from", kind, folder, "--no-tail").returncode == 0
    assert kept.stack.run(kind, folder).returncode == 0


def test_other_bytes_are_refused(kept: Kept) -> None:
    """A file that is not what was written is named, and nothing is loaded."""
    file = next((kept.backup / "bindings").glob("*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        said = kept.stack.run("--config", kept.database("other"), "restore", kept.backup)
    finally:
        file.write_bytes(whole)
    assert said.returncode == 1
    assert f"Expected bindings/{file.name} as it was written" in said.stderr


def test_a_dropped_database_is_filled_beside_the_sinks(kept: Kept) -> None:
    """While sinks run and wait for their tables, a restore brings back what there was, and what comes next is there."""
    run = kept.stack.directory / "run"
    url = urlsplit(json.loads((run / "clickhouse.json").read_text())["url"])
    password = (run / "writer.secret").read_text().strip()
    before = kept.affected()
    writer = clickhouse_connect.get_client(
        host=url.hostname, port=url.port, username="lotstream_writer", password=password
    )
    writer.command("DROP DATABASE lotstream SYNC")
    assert kept.stack.post("/events", f"[{epcis('REBUILD-3', 91)}]", source="rebuild-meanwhile").is_success
    assert kept.stack.run("affected", "REBUILD-1").returncode != 0
    said = kept.stack.run("restore", kept.backup)
    assert said.returncode == 0, said.stdout + said.stderr
    kept.stack.settle()
    assert kept.affected() == before
    assert kept.stack.run("affected", "REBUILD-3").returncode == 0
