"""`python -m bench`: measures, writes build/bench.json, exits 1 when an output is not what it must be."""

import argparse
import sys
from pathlib import Path

from bench.measure import shown, write
from bench.pipeline import measure_pipeline
from bench.portal import Portal
from bench.stages import measure_stages
from lotstream.runtime.garbage import spare_garbage_collection
from lotstream.runtime.settings import Settings, TopicSettings


def main() -> int:
    """Every row of the portal workload; the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--batches", type=int, default=50, help="batches of 500 reads per read point (40 of them)")
    parser.add_argument("--partitions", type=int, default=4, help="partitions of every topic")
    parser.add_argument("--live", type=int, default=15, help="seconds of live load for the latencies")
    parser.add_argument("--alone", action="store_true", help="stages alone, without a broker")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    given = parser.parse_args()
    spare_garbage_collection()  # as every process of ours
    portal = Portal(batches=given.batches)
    settings = Settings(topics=TopicSettings(partitions=given.partitions))
    rows = measure_stages(portal, settings)
    for row in rows:
        print(shown(row), flush=True)
    if not given.alone:
        whole = measure_pipeline(portal, settings, live_s=given.live)
        for row in whole:
            print(shown(row), flush=True)
        rows += whole
    write(rows, given.out)
    return 0 if all(row.equal for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
