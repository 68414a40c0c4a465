"""What a sink says of a message at which it ends."""

import pytest

from lotstream.runtime.errors import Reason, Rejected
from lotstream.sinks.letters import Naming
from lotstream.sinks.rows import Message

MESSAGE = Message("sightings.v1", 3, 17, b"bytes")


def test_a_bug_names_the_message_and_the_way_on() -> None:
    """A mistake of ours while a message is decided says which message, and the command that passes it over."""
    with pytest.raises(ZeroDivisionError) as ended, Naming(MESSAGE):
        raise ZeroDivisionError
    (note,) = ended.value.__notes__
    assert note.endswith("lotstream dlq park sightings.v1:3:17")


def test_bad_data_is_no_bug() -> None:
    """What is rejected becomes a dead letter; nothing is said of parking."""
    with pytest.raises(Rejected) as refused, Naming(MESSAGE):
        raise Rejected(Reason.CYCLE, "Expected no cycle, got one.")
    assert not hasattr(refused.value, "__notes__")
