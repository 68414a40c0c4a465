"""What `lotstream dlq` says, as values: printed as JSON with a published schema, or as tables for people."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lotstream.readers.letters import Deeds, Letter, State
from lotstream.readers.resend import Outcome
from lotstream.schemas.operations import LETTER_HEADER, Action


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LetterGroup(_Answer):
    """Letters of one reason, source and stage."""

    reason: str
    source: str = Field(description="reader, feed or producer; of a sink, its name")
    stage: str = Field(description="who refused it: gateway, register, smooth, resolve, locate, sink")
    letters: int
    newest_at: datetime


class LetterRow(_Answer):
    """One dead letter."""

    id: str = Field(description="topic:partition:offset in dead-letters.v1")
    at: datetime = Field(description="when it was written")
    state: State
    reason: str
    field: str
    detail: str
    source: str
    stage: str
    origin: str = Field(description="topic:partition:offset of the record, or door:request:item of the gateway")
    size: int = Field(description="bytes")
    replay_of: str = Field(description="the letter of which it is a replay, refused again; else empty")


class DeadLetters(_Answer):
    """`lotstream dlq list`: groups with the most letters first, single letters newest first."""

    kind: Literal["dead_letters"] = "dead_letters"
    v: Literal[1] = 1
    open: int
    replayed: int
    dropped: int
    groups: tuple[LetterGroup, ...]
    letters: tuple[LetterRow, ...]
    truncated: bool = Field(description="there are more letters than are listed; the groups count all of them")


class Deed(_Answer):
    """What a person did."""

    action: Action
    at: datetime
    by: str
    why: str
    result: str


class DeadLetterShown(_Answer):
    """`lotstream dlq show`: one letter in full."""

    kind: Literal["dead_letter"] = "dead_letter"
    v: Literal[1] = 1
    letter: LetterRow
    received_at: datetime
    headers: dict[str, str] = Field(description="of the record that it was; of a request, what its caller said")
    text: str | None = Field(description="the untouched bytes, when they are UTF-8")
    hex: str = Field(description="the untouched bytes")
    deeds: tuple[Deed, ...]


class LetterDeed(_Answer):
    """What was done about one letter or record, and what came of it."""

    id: str
    outcome: Outcome | Literal["dropped", "parked"]
    detail: str


class DeadLetterDeeds(_Answer):
    """`lotstream dlq replay`, `drop` and `park`."""

    kind: Literal["dead_letter_deeds"] = "dead_letter_deeds"
    v: Literal[1] = 1
    interrupted: bool = Field(default=False, description="ended early: letters that are not listed are as before")
    deeds: tuple[LetterDeed, ...]


def instant_of(us: int) -> datetime:
    """Microseconds since the epoch as an instant."""
    return datetime.fromtimestamp(us / 1e6, UTC)


def row_of(letter: Letter, deeds: Deeds) -> LetterRow:
    """A letter with what has become of it."""
    said = letter.said
    return LetterRow(
        id=letter.id,
        at=instant_of(letter.at_us),
        state=deeds.state(letter),
        reason=said.reason,
        field=said.field,
        detail=said.detail,
        source=said.source,
        stage=said.stage,
        origin=said.origin,
        size=len(letter.value),
        replay_of=dict(letter.headers).get(LETTER_HEADER, b"").decode("utf-8", "replace"),
    )


def shown_of(letter: Letter, deeds: Deeds) -> DeadLetterShown:
    """A letter in full."""
    try:
        text = letter.value.decode()
    except UnicodeDecodeError:
        text = None
    done = deeds.by_letter.get(letter.digest, [])
    return DeadLetterShown(
        letter=row_of(letter, deeds),
        received_at=instant_of(letter.said.received_us),
        headers={name: value.decode("utf-8", "backslashreplace") for name, value in letter.headers},
        text=text,
        hex=letter.value.hex(),
        deeds=tuple(
            Deed(action=one.action, at=instant_of(one.at_us), by=one.by, why=one.why, result=one.result) for one in done
        ),
    )


class Tally:
    """Counts letters by group and state, and keeps the newest of them. Memory is bounded by groups and ``limit``."""

    def __init__(self, deeds: Deeds, *, limit: int, closed: bool) -> None:
        self._deeds = deeds
        self._limit = limit
        self._closed = closed
        self._states = dict.fromkeys(State, 0)
        self._groups: dict[tuple[str, str, str], list[int]] = {}
        self._newest: list[Letter] = []
        self._listed = 0

    def add(self, letter: Letter) -> None:
        """Count a letter."""
        state = self._deeds.state(letter)
        self._states[state] += 1
        if state is not State.OPEN and not self._closed:
            return
        self._listed += 1
        said = letter.said
        group = self._groups.setdefault((said.reason, said.source, said.stage), [0, 0])
        group[0] += 1
        group[1] = max(group[1], letter.at_us)
        self._newest.append(letter)
        if len(self._newest) > 2 * self._limit + 100:
            self._cut()

    def answer(self) -> DeadLetters:
        """What was counted."""
        self._cut()
        groups = sorted(self._groups.items(), key=lambda item: (-item[1][0], item[0]))
        return DeadLetters(
            open=self._states[State.OPEN],
            replayed=self._states[State.REPLAYED],
            dropped=self._states[State.DROPPED],
            groups=tuple(
                LetterGroup(reason=reason, source=source, stage=stage, letters=count, newest_at=instant_of(newest_us))
                for (reason, source, stage), (count, newest_us) in groups
            ),
            letters=tuple(row_of(letter, self._deeds) for letter in self._newest),
            truncated=self._listed > self._limit,
        )

    def _cut(self) -> None:
        self._newest.sort(key=lambda letter: letter.at_us, reverse=True)
        del self._newest[self._limit :]
