"""Decisions as they can be sent again, where the topics that held them are lost."""

from collections.abc import Iterator

from lotstream.recall.store import History
from lotstream.schemas.base import decode
from lotstream.schemas.decisions import DECISION, ClaimContent, DecisionContent
from lotstream.schemas.identifiers import split_lot_key


def claims_again(history: History) -> Iterator[DecisionContent]:
    """Each claim that has a number, to that very number. Raises ClickhouseAway."""
    for row in history.ask("claims_again"):
        claim = decode(DECISION, row["text"].encode())
        assert isinstance(claim, ClaimContent)
        yield claim.model_copy(update={"template": "", "code": split_lot_key(row["lot"])[1]})


def others_again(history: History) -> Iterator[DecisionContent]:
    """Changes, holds, releases and documents, in their order. Raises ClickhouseAway."""
    return (decode(DECISION, row["text"].encode()) for row in history.ask("decisions_again"))
