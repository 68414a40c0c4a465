"""What `lotstream events` prints for programs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RefusedEvent(_Part):
    """One thing that was refused."""

    index: int = Field(ge=-1, description="position of the event in its file; -1: the file itself")
    field: str = Field(description="dotted path inside the event; empty: the whole of it")
    detail: str


class FlaggedEvent(_Part):
    """One event that was taken and is odd."""

    index: int = Field(ge=0)
    flag: str
    detail: str


class LoadedFile(_Part):
    """One file."""

    file: str
    source: str = Field(description="under which its dead letters are listed")
    requests: int = Field(ge=0)
    accepted: int = Field(ge=0)
    rejected: int = Field(ge=0)
    dead_letters: int = Field(ge=0)
    refused: tuple[RefusedEvent, ...]
    flags: tuple[FlaggedEvent, ...]


class EventsLoad(_Part):
    """`lotstream events load`: what became of each file."""

    kind: Literal["events_load"] = "events_load"
    v: Literal[1] = 1
    ok: bool = Field(description="nothing was refused")
    accepted: int = Field(ge=0)
    rejected: int = Field(ge=0)
    files: tuple[LoadedFile, ...]
