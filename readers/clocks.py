"""How far each reader's clock is off: the smallest (receipt - last seen) over a window of live posts.

A difference of up to 2 s is not told apart from the network's and the reader's own delay: nothing is added. Beyond
it, a clock ahead of ours, or one that was never set, is corrected at once; one that seems behind only when the
difference stays, because a reader that works off what it kept during an outage looks the same and is right.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

FLAG_US = 2_000_000
WINDOW_US = 60_000_000
STEADY_US = 1_000_000  # how little a wrong clock's difference may change within the window
STEADY_AFTER_US = 10_000_000
STEADY_POSTS = 3
OUTLIER_US = 600_000_000
EARLIEST_US = 1_041_379_200_000_000  # 2003-01-01: before it a clock was never set; Gen2 tags came later
FUTURE_US = 60_000_000
MAX_READERS = 10_000


@dataclass(slots=True)
class _Window:
    posts: deque[tuple[int, int]] = field(default_factory=deque)
    offset_us: int = 0


class ReaderClocks:
    """Offsets of the readers, learnt from live posts. Bounded: the readers longest unheard of are forgotten."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def offset_us(self, reader: str) -> int:
        """What to add to the reader's times, as last learnt; 0 for a reader never heard live."""
        window = self._windows.get(reader)
        return 0 if window is None else window.offset_us

    def learn(self, reader: str, last_us: Sequence[int], *, received_us: int) -> int:
        """The offset after a live post with these times last seen (at least one)."""
        window = self._windows.get(reader)
        if window is None:
            window = self._windows[reader] = _Window()
            if len(self._windows) > MAX_READERS:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(reader)
        window.offset_us = _offset(window, _difference(last_us, received_us), received_us=received_us)
        return window.offset_us


def plausible(event_us: int, *, received_us: int) -> bool:
    """Whether a corrected time can be one: not before there were such tags, nor after its receipt."""
    return EARLIEST_US <= event_us <= received_us + FUTURE_US


def _difference(last_us: Sequence[int], received_us: int) -> int:
    """The smallest (receipt - last seen) of a post; single times far ahead of its median are no evidence."""
    newest = max(last_us)
    if len(last_us) > 2:
        median = sorted(last_us)[len(last_us) // 2]
        if newest - median > OUTLIER_US:
            newest = max(time for time in last_us if time - median <= OUTLIER_US)
    return received_us - newest


def _offset(window: _Window, difference: int, *, received_us: int) -> int:
    posts = window.posts
    if -FLAG_US <= difference <= FLAG_US:
        # this clock is right now, whatever it or the network did before
        posts.clear()
        posts.append((received_us, difference))
        return 0
    posts.append((received_us, difference))
    while posts[0][0] < received_us - WINDOW_US:
        posts.popleft()
    smallest = min(post[1] for post in posts)
    if smallest <= FLAG_US:
        return smallest if smallest < -FLAG_US else 0
    if received_us - difference < EARLIEST_US or _steady(posts):
        return smallest
    return window.offset_us


def _steady(posts: deque[tuple[int, int]]) -> bool:
    if len(posts) < STEADY_POSTS or posts[-1][0] - posts[0][0] < STEADY_AFTER_US:
        return False
    middle = (posts[0][0] + posts[-1][0]) // 2
    older = min(post[1] for post in posts if post[0] <= middle)
    newer = min(post[1] for post in posts if post[0] > middle)
    return abs(older - newer) <= STEADY_US
