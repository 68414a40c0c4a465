"""Recall cases pass the register by: they are the history's."""

from typing import Any

from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.events import RecallDecision
from lotstream.schemas.recalls import Initiated


def test_a_decision_of_a_case_makes_no_facts(register: Any) -> None:
    """It is understood, and neither a fact nor a dead letter."""
    stamp = Stamp(received_us=register.at, origin=Origin.LIVE, source="cli", request="r")
    said = RecallDecision(
        case="R1", deed=Initiated(), by="ann", reason="why", at_us=register.at, decision="d", subject="R1", stamp=stamp
    )
    assert register.outputs(said.encode()) == []
