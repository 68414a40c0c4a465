"""`lotstream up` for those who did not write it: standard clients read the answers on the addresses that it prints."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import clickhouse_connect
import pytest
from confluent_kafka import Consumer

pytestmark = pytest.mark.system

LOTSTREAM = [sys.executable, "-m", "lotstream.cli.main"]
SITE = """
[[locations]]
id = "hall"
name = "Hall"
[[read_points]]
id = "dock"
inside = "hall"
[[antennas]]
reader = "r700"
read_point = "dock"
"""
GTIN = "10614141073464"
LOT = f"01/{GTIN}/10/UP-1"
EPC = "3034257BF468D480000186A0"  # SGTIN-96 of serial 100000
COMMISSIONING = {
    "@context": [
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        {"cbvmda": "urn:epcglobal:cbv:mda:"},
    ],
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2025-11-17T06:00:00Z",
    "epcisBody": {
        "eventList": [
            {
                "type": "ObjectEvent",
                "eventTime": "2025-11-17T06:00:00Z",
                "eventTimeZoneOffset": "+00:00",
                "action": "ADD",
                "bizStep": "commissioning",
                "epcList": ["urn:epc:id:sgtin:0614141.107346.100000"],
                "ilmd": {"cbvmda:lotNumber": "UP-1"},
            }
        ]
    },
}


@dataclass(frozen=True)
class Up:
    """What `lotstream up` printed."""

    directory: Path
    text: str

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.text)
        assert match, f"Expected {pattern} in what `up` prints, got {self.text}"
        return match.group(1)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*LOTSTREAM, *arguments], cwd=self.directory, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A stack in a directory of its own."""
    directory = tmp_path_factory.mktemp("up")
    (directory / "site.toml").write_text(SITE)
    (directory / "lotstream.toml").write_text('[gateway]\nport = 0\nsite_file = "site.toml"\n')
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOTSTREAM_")}
    done = subprocess.run([*LOTSTREAM, "up"], cwd=directory, env=env, capture_output=True, text=True, timeout=120)
    stack = Up(directory, done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    yield stack
    assert stack.run("down").returncode == 0
    assert stack.run("status").returncode == 1


@pytest.fixture(scope="module")
def answered(up: Up) -> Up:
    """One lot of one item, read at the dock."""
    gateway = up.found(r"gateway\s+(http://\S+)")
    event = {
        "timestamp": "2025-11-17T07:00:00.000Z",
        "hostname": "r700",
        "eventType": "tagInventory",
        "tagInventoryEvent": {"epcHex": EPC, "antennaPort": 1, "peakRssiCdbm": -5000},
    }
    later = event | {"timestamp": "2025-11-17T07:00:01.000Z"}
    for path, body in (
        ("/epcis/capture", COMMISSIONING),
        ("/readers/impinj", [event, later]),
        ("/sources/r700/end", None),
    ):
        request = urllib.request.Request(
            gateway + path,
            data=b"" if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Lotstream-Origin": "file"},
        )
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            pytest.fail(f"{path}: {error.code} {error.read().decode()}")
    until = time.monotonic() + 60
    while True:
        said = up.run("affected", "UP-1", "--json")
        if said.returncode == 0 and json.loads(said.stdout)["places"]:
            return up
        assert time.monotonic() < until, said.stdout + said.stderr
        time.sleep(0.5)


def test_the_command_answers_in_the_same_directory(answered: Up) -> None:
    """Without any setting, the commands find the stack that is up here."""
    said = json.loads(answered.run("affected", LOT, "--json").stdout)
    assert [(place["location"], place["items"]) for place in said["places"]] == [("hall", 1)]
    assert answered.run("status").returncode == 0


def test_clickhouse_connect_reads_on_the_dsn(answered: Up) -> None:
    """clickhouse-connect's ordinary client takes the printed DSN and reads the views."""
    client = clickhouse_connect.get_client(dsn=answered.found(r"(clickhouse://\S+)"))
    rows = client.query(
        "SELECT location, count() FROM unit_places WHERE lot = {lot:String} GROUP BY location", {"lot": LOT}
    )
    assert rows.result_rows == [("hall", 1)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_reads_with_the_printed_command(answered: Up) -> None:
    """The curl command that `up` prints works as it stands."""
    command = answered.found(r"(curl -u .*)")
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30)
    assert LOT in done.stdout, done.stderr


def test_a_plain_consumer_reads_movements(answered: Up) -> None:
    """movements.v1 is JSON that any Kafka client reads."""
    consumer = Consumer(
        {"bootstrap.servers": answered.found(r"Kafka\s+(\S+)"), "group.id": "plain", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["movements.v1"])
    until = time.monotonic() + 30
    units: list[str] = []
    while not units and time.monotonic() < until:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            units += json.loads(message.value())["unit"]
    consumer.close()
    assert units == [f"01/{GTIN}/21/100000"]
