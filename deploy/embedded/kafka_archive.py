"""Class-data sharing: what the virtual machine has parsed once, it maps the next time.

Half of the broker's start is loading 6,000 classes. The virtual machine can write them into an archive as it
exits, and check that archive against class path and version at each later start; with none that fits it starts
without. So the first broker that ends in order leaves one in the user's cache; nothing but time depends on it.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KEEP = 4
"""How many archives stay in the cache (60 MB each): the last that were used, one for every Java."""


@dataclass(frozen=True, slots=True)
class ClassArchive:
    """The archive for one Java and one lock of jars. `base` is None when that Java brings its own."""

    directory: Path
    base: Path | None

    @property
    def broker(self) -> Path:
        return self.directory / "kafka.jsa"

    @property
    def complete(self) -> bool:
        return self.broker.exists() and (self.base is None or self.base.exists())

    def reading(self) -> list[str]:
        """The virtual machine's arguments for a start from the archive, which is used by that; none without one."""
        if not self.complete:
            return []
        with suppress(OSError):  # somebody else's cache, which may be read only
            os.utime(self.broker)
        return [f"-XX:SharedArchiveFile={':'.join(map(str, [*filter(None, [self.base]), self.broker]))}"]

    def writing(self, scratch: Path) -> list[str]:
        """The arguments for a start that writes its classes to `scratch` as it exits."""
        base = [f"-XX:SharedArchiveFile={self.base}"] if self.base else []
        return [*base, f"-XX:ArchiveClassesAtExit={scratch}"]

    def make_base(self, run: Callable[[Sequence[str]], int]) -> bool:
        """Have the runtime's own classes archived, if it came without; whether there is a base to build on."""
        if self.base is None or self.base.exists():
            return True
        if not self._writable():
            return False
        scratch = self.base.with_name(f".{self.base.name}-{os.getpid()}")
        code = run(["-Xshare:dump", "-XX:+UseSerialGC", f"-XX:SharedArchiveFile={scratch}"])
        if code or not scratch.exists():
            scratch.unlink(missing_ok=True)
            return False
        scratch.replace(self.base)
        return True

    def adopt(self, scratch: Path) -> None:
        """Put what a broker wrote as it exited into its place, if it wrote one; those longest unused make room."""
        if not scratch.exists() or not self._writable():
            return
        beside = self.broker.with_name(f".{self.broker.name}-{os.getpid()}")
        shutil.move(scratch, beside)
        beside.replace(self.broker)
        for old in _unused(self.directory.parent):
            shutil.rmtree(old, ignore_errors=True)

    def _writable(self) -> bool:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        return os.access(self.directory, os.W_OK)


def class_archive(java: Path, *, class_path: Sequence[Path], cache: Path) -> ClassArchive:
    """Where the archive for this Java and these jars is, or will be."""
    home = java.parent.parent
    parts = [str(java), (home / "release").read_text(encoding="utf-8")]
    parts += [f"{path} {path.stat().st_mtime_ns}" for path in class_path]
    directory = cache / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    own = (home / "lib" / "server" / "classes.jsa").exists()
    return ClassArchive(directory, None if own else directory / "base.jsa")


def _unused(cache: Path) -> list[Path]:
    used = sorted(cache.glob("*/kafka.jsa"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [path.parent for path in used[KEEP:]]
