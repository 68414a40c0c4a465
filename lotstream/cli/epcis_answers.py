"""What `lotstream epcis` prints for programs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lotstream.schemas.epcis.flags import Oddity
from lotstream.schemas.epcis.rules import Rule


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShownFault(_Part):
    """One rule broken at one place."""

    pointer: str = Field(description="RFC 6901; of the holder where a member is missing; '' is the document")
    rule: Rule
    section: str = Field(description="where the rule is written")
    expected: str
    got: str


class ShownFlag(_Part):
    """Something valid and odd about one event."""

    index: int = Field(ge=0, description="position of the event in its document")
    flag: Oddity
    detail: str


class CheckedFile(_Part):
    """One document."""

    file: str
    ok: bool
    events: int = Field(ge=0, description="events found, good and bad")
    faults: tuple[ShownFault, ...]
    flags: tuple[ShownFlag, ...]


class EpcisCheck(_Part):
    """`lotstream epcis check`: every fault of every document."""

    kind: Literal["epcis_check"] = "epcis_check"
    v: Literal[1] = 1
    ok: bool
    files: tuple[CheckedFile, ...]


class HashedEvent(_Part):
    """One event."""

    index: int = Field(ge=0)
    event_hash: str = Field(description="CBV 2.0 event hash id; empty when it is no event")


class EpcisHash(_Part):
    """`lotstream epcis hash`: the identity of each event, in document order."""

    kind: Literal["epcis_hash"] = "epcis_hash"
    v: Literal[1] = 1
    file: str
    events: tuple[HashedEvent, ...]
