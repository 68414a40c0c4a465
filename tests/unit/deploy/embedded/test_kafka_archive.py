"""A class archive is found by what made it, and is never half there."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from lotstream.deploy.embedded.kafka_archive import KEEP, ClassArchive, class_archive


@pytest.fixture
def java(tmp_path: Path) -> Path:
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text('JAVA_VERSION="25"\n', encoding="utf-8")
    return home / "bin" / "java"


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    path = tmp_path / "a.jar"
    path.touch()
    return path


def archive_of(java: Path, jar: Path) -> ClassArchive:
    return class_archive(java, class_path=[jar], cache=jar.parent / "classes")


def test_other_jars_or_java_have_another_archive(java: Path, jar: Path) -> None:
    """The archive is bound to the bytes of Java and jars: new ones start a new archive."""
    first = archive_of(java, jar)
    assert archive_of(java, jar) == first
    os.utime(jar, (1, 1))
    second = archive_of(java, jar)
    (java.parent.parent / "release").write_text('JAVA_VERSION="26"\n', encoding="utf-8")
    third = archive_of(java, jar)
    assert len({first.directory, second.directory, third.directory}) == 3


def test_own_base_is_used(java: Path, jar: Path) -> None:
    """A Java that brings an archive of its own classes needs no base made."""
    own = java.parent.parent / "lib" / "server"
    own.mkdir(parents=True)
    (own / "classes.jsa").touch()
    archive = archive_of(java, jar)
    assert archive.base is None
    assert archive.make_base(lambda arguments: pytest.fail("it was made"))
    assert archive.writing(Path("/x")) == ["-XX:ArchiveClassesAtExit=/x"]


def test_archive_is_read_once_it_is_there(java: Path, jar: Path, tmp_path: Path) -> None:
    """Without an archive nothing is asked of the virtual machine; with one both parts are."""
    archive = archive_of(java, jar)
    assert archive.reading() == []

    def dump(arguments: Sequence[str]) -> int:
        Path(arguments[-1].partition("=")[2]).touch()
        return 0

    assert archive.make_base(dump)
    assert archive.reading() == []
    scratch = tmp_path / "scratch"
    scratch.touch()
    archive.adopt(scratch)
    assert archive.reading() == [f"-XX:SharedArchiveFile={archive.base}:{archive.broker}"]
    assert sorted(path.name for path in archive.directory.iterdir()) == ["base.jsa", "kafka.jsa"]


def test_failed_dump_leaves_nothing(java: Path, jar: Path) -> None:
    """A base that could not be written means a start without archive, and no rest of it."""
    archive = archive_of(java, jar)

    def fail(arguments: Sequence[str]) -> int:
        Path(arguments[-1].partition("=")[2]).touch()
        return 1

    assert not archive.make_base(fail)
    assert list(archive.directory.iterdir()) == []


def test_cache_that_cannot_be_written_is_left_alone(java: Path, jar: Path, tmp_path: Path) -> None:
    """Where the cache's place is taken by something else the broker starts without archive."""
    (tmp_path / "classes").touch()
    archive = archive_of(java, jar)
    assert not archive.make_base(lambda arguments: pytest.fail("it was tried"))
    scratch = tmp_path / "scratch"
    scratch.touch()
    archive.adopt(scratch)
    assert archive.reading() == []


def test_archives_longest_unused_make_room(java: Path, jar: Path, tmp_path: Path) -> None:
    """The cache keeps a few archives, those that were used last: one that every start reads outlives younger ones."""
    made: list[ClassArchive] = []
    (java.parent.parent / "lib" / "server").mkdir(parents=True)
    (java.parent.parent / "lib" / "server" / "classes.jsa").touch()
    for age in range(KEEP + 2):
        os.utime(jar, (age, age))
        scratch = tmp_path / "scratch"
        scratch.touch()
        os.utime(scratch, (1000 + age, 1000 + age))
        made.append(archive_of(java, jar))
        made[-1].adopt(scratch)
        assert made[0].reading()
    assert [archive.broker.exists() for archive in made] == [True] + [False] * 2 + [True] * (KEEP - 1)
