"""What a check of the doctor comes to, for people and programs."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class State(StrEnum):
    """How a check ended. Only `fail` makes the doctor say no."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(BaseModel):
    """One check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    state: State
    detail: str
    action: str = Field(default="", description="what to do; empty when nothing is")


class Diagnosis(BaseModel):
    """`lotstream doctor`: every check with what to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["doctor"] = "doctor"
    v: Literal[1] = 1
    ok: bool
    checks: tuple[Finding, ...]


def good(check: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(check=check, state=State.OK, detail=detail)


def skipped(check: str, why: str) -> Finding:
    """It does not apply here, or cannot be known."""
    return Finding(check=check, state=State.SKIP, detail=why)


def bad(check: str, detail: str, *, action: str) -> Finding:
    """Something does not work."""
    return Finding(check=check, state=State.FAIL, detail=detail, action=action)


def doubtful(check: str, detail: str, *, action: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(check=check, state=State.WARN, detail=detail, action=action)
