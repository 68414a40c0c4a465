"""Fetches jars of the lock that the cache lacks."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event

from jgo.maven import MavenContext, PythonResolver

from lotstream.deploy.embedded.jars import Jar, JarError, verify

FETCH_THREADS = 8
ATTEMPTS = 3
TIMEOUT_S = 20


def fetch(jars: Sequence[Jar], *, cache: Path) -> Iterator[Jar]:
    """Each jar as soon as it is in the cache, whole and verified. Raises JarError."""
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
