"""Writes `jars.lock` anew for the versions below: `python -m lotstream.deploy.embedded.relock > jars.lock`."""

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Artifact, MavenContext, PythonResolver

from lotstream.deploy.embedded.jars import Jar, sha256_of
from lotstream.deploy.embedded.kafka_storage import KAFKA_VERSION
from lotstream.deploy.embedded.maven import FETCH_THREADS

ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")


def resolve(roots: Sequence[str], *, scratch: Path) -> list[Jar]:
    """What the roots need at run time, by coordinate.

    Each root is resolved for itself: together, the versions that log4j manages for its own build would win over
    those that Kafka was built and tested with (`kafka-clients` 3.9 among them). Kafka's come first for that reason.
    """
    context = MavenContext(resolver=PythonResolver(), repo_cache=scratch, timeout=30)
    chosen: dict[tuple[str, str], Artifact] = {}
    for root in roots:
        inputs, needed = context.resolver.resolve([context.create_dependency(root)])
        for dependency in [*inputs, *needed]:
            chosen.setdefault((dependency.groupId, dependency.artifactId), dependency.artifact)
    with ThreadPoolExecutor(FETCH_THREADS) as pool:
        paths = list(pool.map(lambda artifact: Path(artifact.resolve()), chosen.values()))
    found = zip(chosen.values(), paths, strict=True)
    jars = [Jar(f"{a.groupId}:{a.artifactId}:{a.version}", sha256_of(path) or "") for a, path in found]
    return sorted(jars, key=lambda jar: jar.coordinate)


def main() -> int:
    """Print the lock."""
    with tempfile.TemporaryDirectory() as scratch:
        for jar in resolve(ROOTS, scratch=Path(scratch)):
            sys.stdout.write(f"{jar.coordinate} {jar.sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
