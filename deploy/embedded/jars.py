"""The jars of the embedded broker: which ones (`jars.lock`), where they are kept, and that they are the right ones."""

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

LOCK_FILE = Path(__file__).with_name("jars.lock")

Progress = Callable[[int, int], None]
"""Called with (jars ready, jars in all) each time one more is ready."""


class JarError(Exception):
    """A jar of the lock is missing, cannot be fetched, or has other bytes than the lock says."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock: Maven coordinate `group:artifact:version` and sha256 in lower-case hex."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def cache_dir(env: Mapping[str, str]) -> Path:
    """The user's cache of jars: `$XDG_CACHE_HOME/lotstream/jars`, by default under `~/.cache`."""
    base = env.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "lotstream" / "jars"


def parse_lock(text: str) -> tuple[Jar, ...]:
    """The jars of a lock, in its order. Raises JarError for a line that is not `coordinate sha256`."""
    jars = []
    for line in text.splitlines():
        match line.split():
            case [coordinate, sha256] if coordinate.count(":") == 2 and len(sha256) == 64:
                jars.append(Jar(coordinate, sha256))
            case _:
                raise JarError(f"Expected a line 'group:artifact:version sha256', got {line!r}.")
    return tuple(jars)


def read_lock() -> tuple[Jar, ...]:
    """The jars that the embedded broker is made of."""
    return parse_lock(LOCK_FILE.read_text(encoding="ascii"))


def find_jars(lock: tuple[Jar, ...], *, directory: Path, on_progress: Progress | None = None) -> list[Path]:
    """The class path from a directory that somebody else has filled; nothing is fetched.

    Raises JarError naming the first jar that is missing or has other bytes.
    """
    for done, jar in enumerate(lock, start=1):
        verify(jar, path=directory / jar.file_name)
        if on_progress:
            on_progress(done, len(lock))
    return [directory / jar.file_name for jar in lock]


def fetch_jars(lock: tuple[Jar, ...], *, cache: Path, on_progress: Progress | None = None) -> list[Path]:
    """The class path from the cache, after fetching what it lacks; every jar is verified at every call.

    Safe to run in several processes at once: a jar appears in the cache whole and verified, or not at all.
    Raises JarError when one cannot be had, or its bytes are others than the lock's.
    """
    missing = [jar for jar in lock if sha256_of(cache / jar.file_name) != jar.sha256]
    done = len(lock) - len(missing)
    if on_progress:
        on_progress(done, len(lock))
    if missing:
        cache.mkdir(parents=True, exist_ok=True)
        # imported where something is missing: it costs a third of the time until the broker can start
        for _ in importlib.import_module("lotstream.deploy.embedded.maven").fetch(missing, cache=cache):
            done += 1
            if on_progress:
                on_progress(done, len(lock))
    return [cache / jar.file_name for jar in lock]


def verify(jar: Jar, *, path: Path) -> None:
    """Raises JarError unless `path` has the bytes that the lock says."""
    got = sha256_of(path)
    if got is None:
        raise JarError(f"Expected {jar.coordinate} as {path}, got no such file.")
    if got != jar.sha256:
        raise JarError(f"Expected sha256 {jar.sha256} of {jar.coordinate}, got {got} in {path}.")


def sha256_of(path: Path) -> str | None:
    """The digest of a file in lower-case hex; None when there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
