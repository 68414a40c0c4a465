"""What numbers claims got, by brute force over the log: the first in its order wins, and no lot has two claimants.

A part of the oracle: it reads what was told as JSON, and shares no code with the register.
"""

import json
from collections.abc import Iterator

from lotstream.schemas.topics import EVENTS, LOTS
from lotstream.streams.engine.plain import PlainLog
from tests.worlds.world import lot


def misnumbered(log: PlainLog) -> Iterator[str]:
    """Claims that were told another number than theirs, or two."""
    right = numbers(log)
    told: dict[str, set[str]] = {}
    for record in log.topic(LOTS):
        said = json.loads(record.value or b"")
        if said["kind"] == "lot_number":
            told.setdefault(said["claim"], set()).add(said["lot"])
    for claim in right.keys() | told.keys():
        due, got = right.get(claim, set()), told.get(claim, set())
        # a refusal that a crash kept back is not told any more when the claim has a number by then
        if got != due and (not got or got != due - {""}):
            yield f"number: Expected {due} for {claim}, got {got}."


def numbers(log: PlainLog) -> dict[str, set[str]]:
    """What each claim is told, in the order of the log; a claim that was refused may be said anew with other words."""
    taken: set[str] = set()
    got: dict[str, str] = {}
    told: dict[str, set[str]] = {}
    for record in log.topic(EVENTS):
        said = json.loads(record.value or b"")
        if said["kind"] == "hold":
            taken.add(said["lot"])
        elif said["kind"] == "lot_claim":
            claim = said["claim"]
            if claim not in got:
                wanted = [said["code"]] if said["code"] else [f"L-{number}" for number in range(1, 10)]
                free = [code for code in wanted if lot(code) not in taken]
                if free:
                    got[claim] = lot(free[0])
                    taken.add(got[claim])
            told.setdefault(claim, set()).add(got.get(claim, ""))
    return told
