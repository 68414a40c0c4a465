"""alerts.v1: held, recalled or expired goods were sighted, and what became of it. Partitioned by read point.

An alert is about one hold. Its goods are of one lot or of several: each lot has messages of its own under the one key,
and of one key and lot the highest version holds.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, Literal

import orjson
from pydantic import Field, TypeAdapter

from lotstream.schemas.base import Evidence, Key, Micros, Name, Wire

MOST_INSIDE = 200

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class AlertState(StrEnum):
    """The life of an alert. The first and the third ask for something to be done."""

    RAISED = "raised"  # provisional: reads are still coming in
    MOVED = "moved"  # the neighbouring door won: the goods were not here
    CONFIRMED = "confirmed"
    CLEARED = "cleared"


class AlertCause(StrEnum):
    """Why these goods must not move on."""

    HELD = "held"
    RECALLED = "recalled"
    EXPIRED = "expired"


class AlertEnd(StrEnum):
    """Why an alert was cleared."""

    RELEASED = "released"  # the hold is over
    GLIMPSED = "glimpsed"  # too few reads to say that anything was there
    INSIDE = "inside"  # it was in a larger unit, which has the alert
    JOINED = "joined"  # a late read made one visit of two
    WITHDRAWN = "withdrawn"  # the facts say so no more: retracted, of another lot, not held, or gone on


class Alert(Wire):
    """Goods of one lot under one hold, in one top-level tag, during one visit to one read point."""

    kind: Literal["alert"] = "alert"
    v: Literal[1] = 1
    key: Digest = Field(description="of hold, tag, read_point and slot: shared by the lots of a hold, and kept")
    version: int = Field(ge=1, description="rises with every change; of key and lot the highest holds")
    state: AlertState
    end: AlertEnd | None = Field(default=None, description="why it was cleared")
    cause: AlertCause
    lot: Key
    hold: str = Field(max_length=200, description="name of the hold within its lot; empty: expired")
    reason: str = Field(default="", max_length=500, description="of the hold")
    tag: Key = Field(description="the top-level tag: the pallet, or the item itself when it is in nothing")
    read_point: Name
    slot: int = Field(ge=0, description="first slot of 30 s of the visit, as known when the alert was raised")
    location: str = Field(max_length=400, description="where the goods are by that")
    disposition: str = Field(default="", max_length=200, description="CBV word, where an event said so")
    party: str = Field(default="", max_length=400, description="who receives or has them, where an event said so")
    evidence: Evidence
    units: int = Field(ge=0, description="how many units of the lot it is about")
    inside: tuple[Key, ...] = Field(default=(), max_length=MOST_INSIDE, description="the first of them, sorted")
    first_us: Micros
    last_us: Micros
    recorded_us: Micros = Field(description="receive stamp of the newest input that it rests on")


ALERT = TypeAdapter(Alert)


def alert_key(*, hold: str, tag: str, read_point: str, slot: int) -> str:
    """The key of an alert: 32 hexadecimal digits."""
    return hashlib.sha256(orjson.dumps((hold, tag, read_point, slot))).hexdigest()[:32]
