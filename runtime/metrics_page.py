"""Writes docs/metrics.md: `python -m lotstream.runtime.metrics_page [--check]`."""

import sys

from lotstream.runtime.metrics import TABLE
from lotstream.runtime.pages import ROOT, keep, table

_HEAD = """# Metrics

Generated from `runtime/metrics.py` by `python -m lotstream.runtime.metrics_page`; not edited by hand.

Every process serves `/metrics`, `/healthz` and `/readyz` at `[metrics]` of the [settings](settings.md). This is the
closed set: a name that is not here raises. Labels are closed words, topics, partitions and read points; never a lot,
an EPC or a GTIN. Beside these there are the usual `process_*` metrics of the Prometheus client.

"""


def page() -> str:
    """The page as Markdown."""
    rows = [
        (
            f"`{row.name}`",
            row.kind.value,
            row.unit,
            ", ".join(f"`{label}`" for label in row.labels) or "none",
            row.help,
        )
        for row in TABLE
    ]
    return _HEAD + table(("name", "kind", "unit", "labels", "meaning"), rows)


if __name__ == "__main__":
    sys.exit(keep(ROOT / "docs" / "metrics.md", page(), module="lotstream.runtime.metrics_page"))
