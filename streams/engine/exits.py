"""The loud end: the reason on stderr, the event to whom it concerns, and out, before anything else can be sent."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from lotstream.streams.engine.config import Ended, Event, ExitCode

OUTAGES = (KafkaConnectionError, KafkaTimeoutError)  # of the brokers; what else a client raises is a bug


def code_of(raised: BaseException) -> ExitCode:
    """How a process ends that an exception of its clients has stopped."""
    return ExitCode.AWAY if isinstance(raised, OUTAGES) else ExitCode.BUG


def end_process(code: ExitCode, reason: str, *, stage: str, on_event: Callable[[Event], None]) -> NoReturn:
    """Never returns and runs no clean-up: a clean-up could flush what must not be sent."""
    try:
        sys.stderr.write(f"stage {stage} ends with exit code {code.value} ({code.name}): {reason}\n")
        sys.stderr.flush()
        on_event(Ended(stage, code, reason))
    finally:
        os._exit(code.value)
