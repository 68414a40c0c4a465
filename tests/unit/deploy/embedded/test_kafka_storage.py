"""A data directory is formatted once, and only touched by what made it."""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lotstream.deploy.embedded.kafka_storage import (
    KAFKA_VERSION,
    Storage,
    WrongDataDirectory,
    format_storage,
    is_formatted,
    scram_record,
)

USER = ("lot", "secret")


def formatted(directory: Path, *, sasl: tuple[str, str] | None = None) -> Storage:
    storage = Storage(directory)
    format_storage(storage, sasl=sasl, run=lambda tool: None, cache=directory / "cache")
    return storage


def test_empty_directory_is_to_be_formatted(tmp_path: Path) -> None:
    """A directory without anything in it is formatted, and afterwards is not again."""
    assert not is_formatted(Storage(tmp_path), sasl=None)
    assert is_formatted(formatted(tmp_path), sasl=None)


def test_other_version_is_refused(tmp_path: Path) -> None:
    """A data directory of another Kafka is refused, naming both versions and what to do."""
    storage = formatted(tmp_path)
    storage.marker.write_text(json.dumps({"kafka": "3.9.0"}), encoding="utf-8")
    with pytest.raises(WrongDataDirectory) as caught:
        is_formatted(storage, sasl=None)
    assert str(caught.value) == (
        f"Expected a data directory of Kafka {KAFKA_VERSION}, got one of '3.9.0' in {tmp_path}. "
        "Use another directory, or remove this one with all that is in it."
    )


def test_foreign_data_is_refused(tmp_path: Path) -> None:
    """Topics without our marker are somebody else's, and stay untouched."""
    partition = Storage(tmp_path).log_dir / "orders-0"
    partition.mkdir(parents=True)
    with pytest.raises(WrongDataDirectory, match=r"Expected an empty data directory .*, got 'orders-0' in"):
        is_formatted(Storage(tmp_path), sasl=None)
    assert partition.is_dir()


def test_interrupted_formatting_is_done_again(tmp_path: Path) -> None:
    """What a killed formatting has left is removed before the next one."""
    storage = Storage(tmp_path)
    storage.log_dir.mkdir()
    left = storage.log_dir / "meta.properties"
    left.touch()
    assert not is_formatted(storage, sasl=None)
    format_storage(storage, sasl=None, run=lambda tool: None, cache=tmp_path / "cache")
    assert not left.exists()


def test_failed_formatting_leaves_no_marker(tmp_path: Path) -> None:
    """The marker is written after the tool, so a directory is never taken for formatted when it is not."""

    def fail(tool: Sequence[str]) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        format_storage(Storage(tmp_path), sasl=None, run=fail, cache=tmp_path / "cache")
    assert not is_formatted(Storage(tmp_path), sasl=None)


def test_a_second_directory_needs_no_tool(tmp_path: Path) -> None:
    """What the tool made for one directory serves the next, under identifiers of its own; with a user it never does."""
    first, second, ran = Storage(tmp_path / "1"), Storage(tmp_path / "2"), []

    def run(tool: Sequence[str]) -> None:
        ran.append(tool)
        (first.log_dir / "bootstrap.checkpoint").write_bytes(b"features")

    for storage in (first, second):
        format_storage(storage, sasl=None, run=run, cache=tmp_path / "cache")
    assert (second.log_dir / "bootstrap.checkpoint").read_bytes() == b"features"
    meta = dict(line.split("=") for line in (second.log_dir / "meta.properties").read_text().splitlines())
    assert meta["cluster.id"] == json.loads(second.marker.read_text())["cluster"]
    assert meta["directory.id"] not in (meta["cluster.id"], "")
    assert len(ran) == 1
    format_storage(Storage(tmp_path / "3"), sasl=USER, run=run, cache=tmp_path / "cache")
    assert len(ran) == 2


@pytest.mark.parametrize(
    ("made", "asked", "message"),
    [
        (USER, None, r"Expected a data directory of user None, got one of 'lot'"),
        (None, USER, r"Expected a data directory of user 'lot', got one of None"),
        (USER, ("other", "secret"), r"Expected a data directory of user 'other', got one of 'lot'"),
        (USER, ("lot", "wrong"), r"Expected the password that .* was made with"),
    ],
)
def test_other_credentials_are_refused(
    tmp_path: Path, made: tuple[str, str] | None, asked: tuple[str, str] | None, message: str
) -> None:
    """A user is part of the data: asking with another one is refused, not silently ignored."""
    storage = formatted(tmp_path, sasl=made)
    with pytest.raises(WrongDataDirectory, match=message):
        is_formatted(storage, sasl=asked)
    assert is_formatted(storage, sasl=made)


def test_password_is_not_kept(tmp_path: Path) -> None:
    """Neither the marker nor the tool's arguments hold the password."""
    told: list[str] = []
    format_storage(Storage(tmp_path), sasl=USER, run=told.extend, cache=tmp_path)
    assert "secret" not in Storage(tmp_path).marker.read_text(encoding="utf-8")
    assert not any("secret" in word for word in told)


def test_scram_record_is_the_salted_password() -> None:
    """The tool gets PBKDF2 of the password (RFC 5802, Hi), so any password passes through its argument."""
    salt = b"\x01" * 16
    salted = base64.b64encode(hashlib.pbkdf2_hmac("sha512", b"pencil", salt, 8192)).decode()
    assert scram_record("lot", "pencil", salt=salt) == (
        f'SCRAM-SHA-512=[name="lot",iterations=8192,salt="AQEBAQEBAQEBAQEBAQEBAQ==",saltedpassword="{salted}"]'
    )
