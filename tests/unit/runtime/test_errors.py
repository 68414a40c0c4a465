"""The fates of a failure."""

import pickle

import pytest

from lotstream.runtime.errors import Reason, Rejected, Transient


def test_rejected_names_reason_field_and_detail() -> None:
    """A rejection carries its closed reason and says which field it is about."""
    rejected = Rejected(Reason.SCHEMA_INVALID, "Expected an int, got 'x'.", field="reads.0.antenna")
    assert rejected.reason is Reason.SCHEMA_INVALID
    assert str(rejected) == "reads.0.antenna: Expected an int, got 'x'."
    assert rejected.detail == "Expected an int, got 'x'."


def test_fates_survive_pickling() -> None:
    """What a child process raises arrives whole in its parent."""
    rejected = pickle.loads(pickle.dumps(Rejected(Reason.CYCLE, "Expected a tree, got a cycle.", field="path")))
    assert (rejected.reason, rejected.detail, rejected.field) == (
        Reason.CYCLE,
        "Expected a tree, got a cycle.",
        "path",
    )
    transient = pickle.loads(pickle.dumps(Transient("away", retry_after_s=3.0)))
    assert (str(transient), transient.retry_after_s) == ("away", 3.0)


def test_reasons_are_words_of_the_wire() -> None:
    """Every reason is its own lower-case name, so that tables and code agree."""
    assert all(reason.value == reason.name.lower() for reason in Reason)
    with pytest.raises(ValueError):
        Reason("misc")
