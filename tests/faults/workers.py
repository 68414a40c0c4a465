"""Workers of every stage die and freeze."""

import signal
import time

from tests.chaos.plan import SESSION_S
from tests.faults.fault import fault
from tests.faults.ground import Ground

DOOR, LOT = ("door-1", "door-2"), ("lot-1", "lot-2")


def killed(ground: Ground, names: tuple[str, ...]) -> str:
    for name in names:
        ground.renew(name, signal.SIGKILL)
    return f"{' and '.join(names)} started anew, partitions loaded from their changelogs"


def frozen(ground: Ground, name: str) -> str:
    """Longer than the session: the partitions move, and the stale owner must do no harm when it wakes up."""
    with ground.frozen(ground.process(name).pid):
        time.sleep(SESSION_S + 3.0)
    time.sleep(1.0)
    return f"its partitions moved; {name} fenced itself when it woke up"


@fault()
def register_and_smooth_killed(ground: Ground) -> str:
    """SIGKILL of one worker after the other."""
    return killed(ground, DOOR)


@fault()
def resolve_and_locate_killed(ground: Ground) -> str:
    """SIGKILL of one worker after the other."""
    return killed(ground, LOT)


@fault()
def register_and_smooth_frozen(ground: Ground) -> str:
    """SIGSTOP for longer than the session."""
    return frozen(ground, DOOR[0])


@fault()
def resolve_and_locate_frozen(ground: Ground) -> str:
    """SIGSTOP for longer than the session."""
    return frozen(ground, LOT[0])


@fault()
def every_worker_killed(ground: Ground) -> str:
    """All four at once."""
    with ground.down(DOOR[0]), ground.down(DOOR[1]), ground.down(LOT[0]), ground.down(LOT[1]):
        time.sleep(1.0)
    return "all partitions loaded again"


@fault()
def smooth_killed_between_publish_and_commit(ground: Ground) -> str:
    """Dies by itself when its outputs are delivered and nothing is acknowledged."""
    return ground.dies_at(DOOR[0], "smooth:outputs delivered:2")


@fault()
def smooth_killed_in_its_snapshot(ground: Ground) -> str:
    """Dies by itself between a snapshot and the marker that makes it count."""
    return ground.dies_at(DOOR[0], "smooth:snapshot delivered:2")


@fault()
def resolve_killed_between_publish_and_commit(ground: Ground) -> str:
    """Dies by itself when its outputs are delivered and nothing is acknowledged."""
    return ground.dies_at(LOT[0], "resolve:outputs delivered:2")
