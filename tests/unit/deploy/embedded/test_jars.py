"""The jars of the broker are the lock's, byte for byte."""

import hashlib
from pathlib import Path

import pytest

from lotstream.deploy.embedded.jars import (
    Jar,
    JarError,
    cache_dir,
    fetch_jars,
    find_jars,
    parse_lock,
    read_lock,
)
from lotstream.deploy.embedded.kafka_storage import KAFKA_VERSION


def a_jar(directory: Path, name: str) -> Jar:
    path = directory / f"{name}-1.0.jar"
    path.write_bytes(name.encode())
    return Jar(f"org.example:{name}:1.0", hashlib.sha256(path.read_bytes()).hexdigest())


def test_lock_names_the_broker() -> None:
    """The committed lock holds Kafka of the version that data directories are marked with, and a log binding."""
    coordinates = {jar.coordinate for jar in read_lock()}
    assert f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}" in coordinates
    assert f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}" in coordinates
    assert "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4" in coordinates


def test_lock_file_names_do_not_collide() -> None:
    """Every jar of the lock has a file name of its own, so one directory holds them all."""
    names = [jar.file_name for jar in read_lock()]
    assert len(set(names)) == len(names) == 46


@pytest.mark.parametrize("line", ["", "a:b:1", "a:b " + "0" * 64, "a:b:1 abc", "a:b:1 " + "0" * 64 + " more"])
def test_lock_refuses_other_lines(line: str) -> None:
    """A line that is not a coordinate and a sha256 is refused, with the line."""
    with pytest.raises(JarError, match=r"Expected a line 'group:artifact:version sha256', got"):
        parse_lock(f"{line}\n")


def test_given_directory_is_verified(tmp_path: Path) -> None:
    """Jars that somebody else provided are taken in the lock's order, and progress counts to their number."""
    lock = (a_jar(tmp_path, "b"), a_jar(tmp_path, "a"))
    steps: list[tuple[int, int]] = []
    paths = find_jars(lock, directory=tmp_path, on_progress=lambda done, total: steps.append((done, total)))
    assert [path.name for path in paths] == ["b-1.0.jar", "a-1.0.jar"]
    assert steps == [(1, 2), (2, 2)]


def test_given_directory_with_other_bytes_is_refused(tmp_path: Path) -> None:
    """A provided jar with other bytes is refused by coordinate, both digests and path."""
    jar = a_jar(tmp_path, "a")
    (tmp_path / jar.file_name).write_bytes(b"other")
    other = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(JarError) as caught:
        find_jars((jar,), directory=tmp_path)
    path = tmp_path / jar.file_name
    assert str(caught.value) == f"Expected sha256 {jar.sha256} of org.example:a:1.0, got {other} in {path}."


def test_given_directory_without_a_jar_is_refused(tmp_path: Path) -> None:
    """A provided directory that lacks a jar is refused, naming it."""
    with pytest.raises(JarError, match=r"Expected org.example:a:1.0 as .*a-1.0.jar, got no such file"):
        find_jars((Jar("org.example:a:1.0", "0" * 64),), directory=tmp_path)


def test_full_cache_is_only_read(tmp_path: Path) -> None:
    """A cache that has everything is used as it is, also when nothing may be written to it."""
    lock = (a_jar(tmp_path, "a"),)
    tmp_path.chmod(0o500)
    steps: list[tuple[int, int]] = []
    try:
        paths = fetch_jars(lock, cache=tmp_path, on_progress=lambda done, total: steps.append((done, total)))
    finally:
        tmp_path.chmod(0o700)
    assert paths == [tmp_path / "a-1.0.jar"]
    assert steps == [(1, 1)]
    assert [path.name for path in tmp_path.iterdir()] == ["a-1.0.jar"]


@pytest.mark.parametrize("env", [{"XDG_CACHE_HOME": "/somewhere"}, {}])
def test_cache_follows_the_user(env: dict[str, str]) -> None:
    """The cache is where the user's caches are."""
    base = Path(env["XDG_CACHE_HOME"]) if env else Path.home() / ".cache"
    assert cache_dir(env) == base / "lotstream" / "jars"
