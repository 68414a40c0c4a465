"""Writes THIRD_PARTY_NOTICES.md: `python -m lotstream.deploy.notices [--check]`.

Python packages are those of requirements.lock, with the licence that their own metadata states; Java archives those
of deploy/embedded/jars.lock, with the licence of their POM. None of them is part of this repository.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from lotstream.runtime.pages import ROOT, keep, table

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?P<marker> ;)?", re.MULTILINE)

# in their metadata these say it in words of their own
SPDX = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD-derived (Repoze)": "BSD-derived (Repoze Public License)",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0 WITH Classpath-exception-2.0 (OpenJDK, its own process)",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

# as their POMs state it, by group
JARS = {
    "at.yawk.lz4": "Apache-2.0",
    "com.dynatrace.hash4j": "Apache-2.0",
    "com.fasterxml.jackson.core": "Apache-2.0",
    "com.fasterxml.jackson.dataformat": "Apache-2.0",
    "com.fasterxml.jackson.datatype": "Apache-2.0",
    "com.github.ben-manes.caffeine": "Apache-2.0",
    "com.github.luben": "BSD-2-Clause",
    "com.google.re2j": "Go License (BSD-3-Clause)",
    "com.typesafe.scala-logging": "Apache-2.0",
    "com.yammer.metrics": "Apache-2.0",
    "commons-beanutils": "Apache-2.0",
    "commons-collections": "Apache-2.0",
    "commons-digester": "Apache-2.0",
    "commons-logging": "Apache-2.0",
    "commons-validator": "Apache-2.0",
    "net.sf.jopt-simple": "MIT",
    "net.sourceforge.argparse4j": "MIT",
    "org.apache.kafka": "Apache-2.0",
    "org.apache.logging.log4j": "Apache-2.0",
    "org.bitbucket.b_c": "Apache-2.0",
    "org.hdrhistogram": "CC0-1.0 OR BSD-2-Clause",
    "org.jspecify": "Apache-2.0",
    "org.pcollections": "MIT",
    "org.scala-lang": "Apache-2.0",
    "org.slf4j": "MIT",
    "org.xerial.snappy": "Apache-2.0",
    "org.yaml": "Apache-2.0",
}

_HEAD = """# Third-party notices

Generated from `requirements.lock` and `deploy/embedded/jars.lock` by `python -m lotstream.deploy.notices`; not edited
by hand.

lotstream itself is under the [Apache License 2.0](LICENSE). What it runs with is fetched at set-up and stays under its
own licence; nothing of it is contained in this repository. The licence texts come with each package.
"""


class LicenceMissing(Exception):
    """Something is locked whose licence nobody stated."""


def page(lock: str, jars: str) -> str:
    """The page as Markdown, from the texts of both locks. Raises `LicenceMissing`."""
    return "".join(
        (
            _HEAD,
            "\n## Python packages\n\n",
            table(("package", "version", "licence"), sorted(_packages(lock), key=lambda row: row[0].lower())),
            "\n## Java archives of the embedded broker\n\n",
            table(("archive", "version", "licence"), sorted(_archives(jars))),
        )
    )


def licence(package: Mapping[str, str] | metadata.PackageMetadata, classifiers: list[str]) -> str | None:
    """What a package's metadata state: the SPDX expression, else the short field, else its classifiers."""
    if "License-Expression" in package:
        return package["License-Expression"]
    stated = package["License"].strip() if "License" in package else ""
    words = [line.rsplit("::", 1)[-1].strip() for line in classifiers if line.startswith("License ::")]
    if stated and "\n" not in stated and len(stated) < 40:
        words = [stated]
    return " AND ".join(SPDX.get(word, word) for word in words) or None


def _packages(lock: str) -> Iterator[tuple[str, str, str]]:
    versions: dict[str, list[str]] = {}
    marked: set[str] = set()
    for pin in PIN.finditer(lock):
        versions.setdefault(pin["name"], []).append(pin["version"])
        if pin["marker"]:
            marked.add(pin["name"])
    for name, pinned in versions.items():
        try:
            package = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            # belongs to another platform
            if name in marked:
                continue
            raise LicenceMissing(f"Expected {name} of requirements.lock installed, got none: make setup.") from None
        found = licence(package, package.get_all("Classifier") or [])
        if found is None:
            raise LicenceMissing(f"Expected a licence in the metadata of {name}, got none.")
        yield name, ", ".join(pinned), found


def _archives(jars: str) -> Iterator[tuple[str, str, str]]:
    for line in jars.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        group, artifact, version = line.split()[0].split(":")[:3]
        if group not in JARS:
            raise LicenceMissing(f"Expected a licence for the group {group!r} in deploy/notices.py, got none.")
        yield f"{group}:{artifact}", version, JARS[group]


def _text(name: str) -> str:
    return Path(ROOT, name).read_text(encoding="utf-8")


if __name__ == "__main__":
    current = page(_text("requirements.lock"), _text("deploy/embedded/jars.lock"))
    sys.exit(keep(ROOT / "THIRD_PARTY_NOTICES.md", current, module="lotstream.deploy.notices"))
