"""The report of `bench.recall` as a page."""

from typing import Any


def page(found: dict[str, Any]) -> str:
    """Markdown, generated from what was measured."""
    loaded = found["loaded"]
    tables = "\n".join(f"| `{name}` | {size:.2f} |" for name, size in loaded["tables"].items())
    timings = "\n".join(
        f"| {row['what']} | {_ms(row['p50_ms'])} | {_ms(row['p95_ms'])} | {_ms(row['aim_ms'])} | "
        f"{_ms(row['engine_cpu_ms'])} | {_ms(row['client_cpu_ms'])} |"
        for row in found["timings"]
    )
    plans = "\n".join(
        f"| `{row['query']}` | {', '.join(f'{read:,} of {of:,}' for read, of in row['granules'])} |"
        for row in found["plans"]
    )
    return f"""# How fast a recall answers

Written by `make bench-recall MOVEMENTS={loaded["movements"]} REPORT=docs/recall-speed.md`. A world of
{loaded["movements"]:,} movements (a fifth of them of class-level goods), {loaded["units"]:,} units and
{loaded["lots"]:,} lots in the product's own schema, on the embedded engine, both cores of one machine with two.
Loaded in {loaded["seconds"]:,} s ({loaded["movements_s"]:,} movements/s), merged in {loaded["merge_seconds"]:,} s.

| question, by the product's own code, warm (ms) | p50 | p95 | aim at 200 million | engine's CPU | client's CPU |
|---|---|---|---|---|---|
{timings}

Bytes on disk per movement: **{loaded["bytes_per_movement"]}** (aim: 20), over all tables:

| table | bytes per movement |
|---|---|
{tables}

Granules read, of all that there are, table by table:

| query | read |
|---|---|
{plans}
"""


def _ms(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"
