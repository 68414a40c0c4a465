"""The named faults: a short scenario each, and what came of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.ground import Ground


class Misbehaved(Exception):
    """A process did something else than it must under this fault."""


class NotShown(Exception):
    """This machine does not allow what the fault needs."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``scenario`` hurts, undoes it, and says what the process did. Under load requests come all the while."""

    name: str
    family: str
    scenario: "Callable[[Ground], str]"
    under_load: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One row of the table."""

    name: str
    did: str
    state: str  # healed, lost, not healed, misbehaved, not shown
    obligations: int = 0
    lost: int = 0
    double: int = 0
    refused: int = 0
    took_s: float = 0.0
    heal_s: float = 0.0

    @property
    def well(self) -> bool:
        return self.state in ("healed", "not shown")

    def json(self) -> dict[str, Any]:
        return asdict(self)


FAULTS: list[Fault] = []


def fault(*, under_load: bool = True) -> "Callable[[Callable[[Ground], str]], Callable[[Ground], str]]":
    """Register a scenario under the name of its function."""

    def register(scenario: "Callable[[Ground], str]") -> "Callable[[Ground], str]":
        name = scenario.__name__.replace("_", "-")
        FAULTS.append(Fault(name, scenario.__module__.rpartition(".")[2], scenario, under_load))
        return scenario

    return register


def expect(condition: bool, said: str) -> None:
    """Raise Misbehaved with what was expected and got."""
    if not condition:
        raise Misbehaved(said)
