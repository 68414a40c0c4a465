"""The jars of the embedded broker: which ones (`jars.lock`), where they are kept, and that they are the right ones."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from jgo.maven import MavenContext, PythonResolver

LOCK_FILE = Path(__file__).with_name("jars.lock")
FETCH_THREADS = 8
ATTEMPTS = 3
TIMEOUT_S = 20

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
        for _ in _fetch_all(missing, cache=cache):
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


def _fetch_all(jars: Sequence[Jar], *, cache: Path) -> Iterator[Jar]:
    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch,
        ThreadPoolExecutor(FETCH_THREADS) as pool,
    ):
        context = MavenContext(resolver=PythonResolver(), repo_cache=Path(scratch), timeout=TIMEOUT_S)
        over = Event()
        waiting = [pool.submit(_fetch, jar, cache=cache, context=context, over=over) for jar in jars]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            over.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _fetch(jar: Jar, *, cache: Path, context: MavenContext, over: Event) -> Jar:
    path = _download(jar, context=context, over=over)
    verify(jar, path=path)
    path.replace(cache / jar.file_name)
    return jar


def _download(jar: Jar, *, context: MavenContext, over: Event) -> Path:
    artifact = context.create_dependency(jar.coordinate).artifact
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo's "not found" is the other
            _remove_partial(artifact.cached_path)
            if attempt == ATTEMPTS or over.wait(attempt):
                raise JarError(
                    f"Expected to fetch {jar.coordinate}, got {type(error).__name__} {attempt} times. "
                    "Without a network, give a directory that holds the jars (--jars DIR)."
                ) from error
    raise AssertionError("unreachable")


def _remove_partial(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
