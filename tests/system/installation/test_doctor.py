"""The doctor on an installation that is made, broken and mended."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]


class Ward:
    """Stores without anything on them, and a doctor."""

    def __init__(self, stores: Any, program: Any, place: Path) -> None:
        self.stores = stores
        self.program = program
        for name in ("writer", "reader"):
            (place / name).write_text(getattr(stores, name) + "\n")
        program.env = {
            "LOTSTREAM_KAFKA__BOOTSTRAP": stores.bootstrap,
            "LOTSTREAM_TOPICS__PARTITIONS": "2",
            "LOTSTREAM_STREAM__CHECKPOINT_S": "0.5",
            "LOTSTREAM_CLICKHOUSE__URL": stores.clickhouse,
            "LOTSTREAM_CLICKHOUSE__PASSWORD_FILE": str(place / "writer"),
            "LOTSTREAM_CLICKHOUSE__READER_PASSWORD_FILE": str(place / "reader"),
            "LOTSTREAM_GATEWAY__PORT": "0",
            "LOTSTREAM_GATEWAY__SITE_FILE": str(ROOT / "deploy" / "site.toml"),
            "LOTSTREAM_RUN_DIR": str(place / "run"),
            "LOTSTREAM_DATA_DIR": str(place / "data"),
        }

    def examine(self, **more: str) -> dict[str, Any]:
        """Findings by check. Whatever is wrong, the answer is valid, holds no secret, and the exit code fits."""
        ran = self.program.run("doctor", "--json", **more)
        assert ran.stdout, ran.stderr
        said = json.loads(ran.stdout)
        jsonschema.validate(said, json.loads((ROOT / "docs/schemas/answers/doctor.json").read_text()))
        failed = [found for found in said["checks"] if found["state"] == "fail"]
        assert ran.returncode == (1 if failed else 0) and said["ok"] is not bool(failed)
        assert all(found["action"] for found in failed)
        for secret in (self.stores.writer, self.stores.reader, "wr0ng"):
            assert secret not in ran.stdout + ran.stderr
        return {found["check"]: found for found in said["checks"]}

    def does(self, *arguments: str) -> None:
        ran = self.program.run(*arguments)
        assert ran.returncode == 0, ran.stderr


@pytest.fixture
def ward(stores: Callable[..., Any], program: Any, tmp_path: Path) -> Iterator[Ward]:
    """An installation before its set-up."""
    yield Ward(stores(), program, tmp_path)


def test_what_is_missing_is_named_with_its_remedy(ward: Ward, told: Any, tmp_path: Path) -> None:
    """Each remedy that the doctor names makes its finding good; what nobody reads is told as standing."""
    found = ward.examine()
    assert found["kafka"]["state"] == "ok" and found["history, writing"]["state"] == "ok"
    assert found["topics"]["action"] == "lotstream topics apply"
    assert found["migrations"]["action"] == "lotstream migrate"
    ward.does("topics", "apply")
    ward.does("migrate")
    ward.program.start("gateway", "gateway", log=tmp_path / "gateway.log")
    told.await_that(lambda: told.is_ready(tmp_path / "run", "gateway"), within_s=30, what="a ready gateway")
    found = ward.examine()
    for check in ("topics", "rights", "migrations", "history, reading", "site file", "process gateway"):
        assert found[check]["state"] == "ok", found[check]
    # the gateway has written its mapping, and nobody reads it
    assert found["group lotstream.register"]["state"] == "fail"
    assert "lotstream worker register" in found["group lotstream.register"]["action"]
    assert found["group lotstream.smooth"]["state"] == "ok"


def test_what_is_wrong_is_told_apart(ward: Ward) -> None:
    """Another partition count, a wrong password, a reader that may write: each is a finding of its own."""
    ward.does("topics", "apply")
    ward.does("migrate")
    wrong = ward.examine(LOTSTREAM_TOPICS__PARTITIONS="4")["topics"]
    assert wrong["state"] == "fail" and "Expected 4 partitions, got 2" in wrong["detail"]
    writer = ward.program.env["LOTSTREAM_CLICKHOUSE__PASSWORD_FILE"]
    mighty = ward.examine(
        LOTSTREAM_CLICKHOUSE__READER_USER="lotstream_writer", LOTSTREAM_CLICKHOUSE__READER_PASSWORD_FILE=writer
    )
    assert mighty["history, reading"]["state"] == "fail" and "may make tables" in mighty["history, reading"]["detail"]
    del ward.program.env["LOTSTREAM_CLICKHOUSE__PASSWORD_FILE"]
    refused = ward.examine(LOTSTREAM_CLICKHOUSE__PASSWORD="wr0ng")
    assert refused["history, writing"]["state"] == "fail" and refused["history, reading"]["state"] == "ok"


def test_brokers_that_are_away_are_one_finding(ward: Ward) -> None:
    """Without brokers what depends on them is skipped, and the rest is still told."""
    found = ward.examine(LOTSTREAM_KAFKA__BOOTSTRAP="127.0.0.1:9")
    assert found["kafka"]["state"] == "fail" and "127.0.0.1:9" in found["kafka"]["action"]
    assert {found[check]["state"] for check in ("topics", "rights", "groups", "clock")} == {"skip"}
    assert found["history, writing"]["state"] == "ok"
