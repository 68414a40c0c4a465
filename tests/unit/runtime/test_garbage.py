"""The collector is spared, not turned off."""

import gc

from lotstream.runtime.garbage import spare_garbage_collection


def test_cycles_are_still_found() -> None:
    """What was there is frozen; a cycle made later is still collected."""
    before = gc.get_threshold()
    try:
        spare_garbage_collection()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > before[0]
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
