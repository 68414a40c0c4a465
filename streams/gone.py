"""Records that fell below the start of their log before a stage read them: a blind window over all that was before."""

from collections.abc import Callable

from lotstream.runtime.clock import Clock
from lotstream.runtime.settings import TopicSettings
from lotstream.schemas.operations import BlindWindow
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.topics import BLIND_WINDOWS
from lotstream.streams.engine.config import Jumped
from lotstream.streams.engine.core import Output


def blind_window_of(topics: TopicSettings, clock: Clock) -> Callable[[Jumped], Output]:
    """Makes the message. Nobody knows of when the records were, so the window is open to the past."""

    def gone(jumped: Jumped) -> Output:
        subject = f"{jumped.topic}:{jumped.partition}"
        now_us = clock.now_us()
        window = BlindWindow(
            subject=subject,
            cause="gap",
            from_us=0,
            until_us=now_us,
            detail=f"{jumped.stage}: offsets {jumped.expected}..{jumped.start - 1} were deleted before they were read.",
            recorded_us=now_us,
        )
        place = partition_of(subject, topics.partitions)
        return Output(topics.name(BLIND_WINDOWS), place, window.encode(), key=subject.encode())

    return gone
