"""The cycle collector of a process that makes millions of short-lived values and hardly a cycle."""

import gc

# 700 by default: a batch of 500 rows would be walked several times while it is decoded, which doubles its cost
YOUNG, MIDDLE, OLD = 100_000, 20, 50


def spare_garbage_collection() -> None:
    """Look for cycles a hundred times less often, and never in what is there now (imports, loaded state)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
