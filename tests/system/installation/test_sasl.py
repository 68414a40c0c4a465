"""The whole way over SASL_SSL with SCRAM, by settings alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system
USER, PASSWORD = "lotstream", 'p"a ß=,$'


def test_a_read_passes_over_an_encrypted_and_authenticated_broker(
    stores: Callable[..., Any], program: Any, told: Any, tmp_path: Path
) -> None:
    """Topics, gateway, stages and sinks reach a broker that asks for both; the read is found in ClickHouse."""
    there = stores(sasl=(USER, PASSWORD))
    run = tmp_path / "run"
    for name, secret in (("kafka", PASSWORD), ("writer", there.writer), ("reader", there.reader)):
        (tmp_path / name).write_text(secret + "\n", encoding="utf-8")
    program.env = {
        "LOTSTREAM_KAFKA__BOOTSTRAP": there.bootstrap,
        "LOTSTREAM_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "LOTSTREAM_KAFKA__USERNAME": USER,
        "LOTSTREAM_KAFKA__PASSWORD_FILE": str(tmp_path / "kafka"),
        "LOTSTREAM_KAFKA__CA_FILE": str(there.ca_file),
        "LOTSTREAM_TOPICS__PREFIX": "plant7.",
        "LOTSTREAM_TOPICS__PARTITIONS": "2",
        "LOTSTREAM_CLICKHOUSE__URL": there.clickhouse,
        "LOTSTREAM_CLICKHOUSE__PASSWORD_FILE": str(tmp_path / "writer"),
        "LOTSTREAM_CLICKHOUSE__READER_PASSWORD_FILE": str(tmp_path / "reader"),
        "LOTSTREAM_GATEWAY__PORT": "0",
        "LOTSTREAM_GATEWAY__SITE_FILE": str(told.root / "deploy" / "site.toml"),
        "LOTSTREAM_RUN_DIR": str(run),
        "LOTSTREAM_DATA_DIR": str(run / "data"),
    }
    for command in (("topics", "apply"), ("migrate",)):
        done = program.run(*command)
        assert done.returncode == 0, done.stderr
    for name, *arguments in (("gateway",), ("worker", "all"), ("sink", "all")):
        program.start(name, name, *arguments, log=tmp_path / f"{name}.log")
    for name in ("gateway", "worker", "sink"):
        told.await_that(lambda name=name: told.is_ready(run, name), within_s=45, what=f"a ready {name}")
    said = told.post(f"{told.url_of(run, 'gateway')}/readers/impinj", [told.read_of(told.epc, reader="example")])
    assert said["accepted"] == 1 and said["rejected"] == 0
    query = f"SELECT DISTINCT tag, read_point, reader FROM sightings WHERE tag = '{told.tag}'"
    told.await_that(lambda: there.select(query) != "", within_s=30, what="the read in ClickHouse")
    assert there.select(query).split("\t") == [told.tag, "dock-1", "example"]
    doctor = program.run("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout
    assert PASSWORD not in doctor.stdout and there.writer not in doctor.stdout and there.reader not in doctor.stdout
    assert set(program.stop().values()) == {0}
