"""What a reader's clock is off by."""

from lotstream.readers.clocks import ReaderClocks, plausible

SECOND = 1_000_000
NOW = 1_772_445_610 * SECOND
HOUR = 3_600 * SECOND


def _learn(clocks: ReaderClocks, *posts: tuple[int, int]) -> list[int]:
    """Offsets after posts of (receipt, newest read), both in seconds after NOW."""
    return [
        clocks.learn("r", [NOW + seen * SECOND], received_us=NOW + received * SECOND) // SECOND
        for received, seen in posts
    ]


def test_delay_is_no_fault_of_the_clock() -> None:
    """Up to two seconds nothing is added, in either direction."""
    assert _learn(ReaderClocks(), (0, 0), (1, 0), (4, 2), (5, 7)) == [0, 0, 0, 0]


def test_a_clock_ahead_is_corrected_at_once() -> None:
    """A read cannot be seen after its receipt: the smallest difference is taken."""
    assert _learn(ReaderClocks(), (0, 60), (1, 60)) == [-60, -60]


def test_a_clock_that_was_never_set_is_corrected_at_once() -> None:
    """1970 and 2000 are no late data."""
    unset = 12 * SECOND
    assert ReaderClocks().learn("r", [unset], received_us=NOW) == NOW - unset


def test_what_a_reader_kept_is_not_taken_for_a_wrong_clock() -> None:
    """While a backlog is worked off the difference shrinks: nothing is corrected."""
    backlog = [(second, -600 + 3 * second) for second in range(0, 120, 2)]
    assert set(_learn(ReaderClocks(), *backlog)) == {0}


def test_a_clock_that_stays_behind_is_corrected() -> None:
    """A difference that stays the same over the window is the clock's."""
    offsets = _learn(ReaderClocks(), *((second, second - 300) for second in range(20)))
    assert offsets[0] == 0
    assert offsets[-1] == 300


def test_a_clock_that_is_set_right_is_believed_at_once() -> None:
    """One post that agrees with our clock forgets what was before."""
    assert _learn(ReaderClocks(), (0, 86_400), (1, 86_401), (2, 2), (3, 3)) == [-86_400, -86_400, 0, 0]


def test_one_wild_read_moves_nothing() -> None:
    """A single time far ahead of the others of its post is no evidence about the clock."""
    clocks = ReaderClocks()
    times = [NOW - SECOND * n for n in range(5)] + [NOW + 1_000 * HOUR]
    assert clocks.learn("r", times, received_us=NOW) == 0
    assert not plausible(times[-1], received_us=NOW)


def test_readers_unheard_of_are_forgotten() -> None:
    """However many names come, memory is bounded, and the newest stay."""
    clocks = ReaderClocks()
    for number in range(10_050):
        clocks.learn(f"r{number}", [NOW + 60 * SECOND], received_us=NOW)
    assert clocks.offset_us("r0") == 0
    assert clocks.offset_us("r10049") == -60 * SECOND
