"""`python -m bench.soak_page build/soak.json docs/soak.md`: a soak as a page, its picture in `pictures` beside it."""

import argparse
import statistics
from pathlib import Path
from typing import Any

import orjson

from bench.plot import Curve, picture
from bench.soak import FLAT, LIMIT_MB_H, OURS, WARM
from lotstream.runtime.pages import table

Told = dict[str, Any]  # what bench.soak has written


_PAGE = """# Soak

`make soak` brings the stack of `lotstream up` up and puts a steady load on its gateway: doors with pallets passing,
every movement followed to a client. After the first {warm} of the time, in which caches fill, memory of our processes
may grow by less than {limit:.0f} MB an hour, open descriptors not at all, and the 99th percentile of the second half
may be {flat} times that of the first at most. `REPORT=docs/soak.md` writes this page.

This run: {reads:,} reads in {minutes:.0f} minutes, {rate:,.0f} a second; {late:,} batches went out more than a second
late, {again} requests were sent again, {restarts} processes ended. From the gateway's stamp to a client that reads the
movement: median {p50:,.0f} ms, the median of the 99th percentiles {p99:,.0f} ms; second half against first {ratio}.

{processes}
{verdict}
![Memory and latency over time]({drawn})
"""


def page(told: Told, *, drawn: str) -> str:
    """Markdown; ``drawn`` is the picture's path."""
    samples = told["samples"]
    seconds = samples[-1]["at_s"]
    heard = [sample for sample in samples[int(len(samples) * WARM) :] if sample["p99_ms"] is not None]
    return _PAGE.format(
        warm=f"{WARM:.0%}",
        limit=LIMIT_MB_H,
        flat=FLAT,
        reads=told["reads"],
        minutes=seconds / 60,
        rate=told["reads"] / seconds,
        late=told["late_batches"],
        again=told["sent_again"],
        restarts=told["restarts"],
        p50=statistics.median(sample["p50_ms"] for sample in heard),
        p99=statistics.median(sample["p99_ms"] for sample in heard),
        ratio=told["p99_ratio"],
        processes=_processes(told),
        verdict="".join(f"* {fault}\n" for fault in told["faults"]) or "Everything stayed within the limits.\n",
        drawn=drawn,
    )


def _processes(told: Told) -> str:
    last = told["samples"][-1]["rss_mb"]
    rows = (
        (name, f"{last[name]:,.0f}", f"{slope:+.1f}", f"{told['descriptors_grown'][name]:+d}")
        for name, slope in told["slope_mb_h"].items()
        if name in OURS
    )
    return table(("process", "MB at the end", "MB an hour", "descriptors"), rows)


def curves(told: Told) -> str:
    """The picture: memory of each process, and both percentiles."""
    samples = told["samples"]
    memory = [Curve(name, [sample["rss_mb"][name] for sample in samples]) for name in samples[0]["rss_mb"]]
    latency = [Curve(name, [sample[f"{name}_ms"] or 0.0 for sample in samples]) for name in ("p50", "p99")]
    return picture([sample["at_s"] / 60 for sample in samples], {"resident MB": memory, "latency ms": latency})


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.soak_page", description=__doc__)
    parser.add_argument("soak", type=Path)
    parser.add_argument("page", type=Path)
    given = parser.parse_args()
    told = orjson.loads(given.soak.read_bytes())
    drawn = given.page.parent / "pictures" / f"{given.page.stem}.svg"
    drawn.parent.mkdir(parents=True, exist_ok=True)
    drawn.write_text(curves(told), encoding="utf-8")
    given.page.write_text(page(told, drawn=f"pictures/{drawn.name}"), encoding="utf-8")


if __name__ == "__main__":
    main()
