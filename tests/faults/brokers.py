"""Kafka is away, slow, or refuses."""

import secrets
import time

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.faults.fault import expect, fault
from tests.faults.ground import Ground

AWAY_S = 4.0


def spooling(ground: Ground) -> str:
    """Wait until the gateway keeps requests; what it says."""
    ground.wait(lambda: "Kafka is away" in ground.check("gateway", "spool"), "a gateway that spools")
    return ground.check("gateway", "spool")


@fault()
def broker_killed(ground: Ground) -> str:
    """SIGKILL, and a new start on the same data."""
    with ground.kafka_down():
        said = spooling(ground)
        expect(ground._is_ready("gateway"), "Expected a gateway that is ready while it spools, got one that is not.")
        time.sleep(AWAY_S)
    return f"gateway: {said}"


@fault()
def broker_stopped(ground: Ground) -> str:
    """An orderly stop and start."""
    ground.kafka.restart()
    return "nobody was told more than to wait"


@fault()
def broker_frozen(ground: Ground) -> str:
    """SIGSTOP: connections stay, nothing is answered."""
    with ground.frozen(ground.kafka.pid):
        said = spooling(ground)
        time.sleep(AWAY_S)
    return f"gateway: {said}"


@fault()
def broker_killed_while_it_catches_up(ground: Ground) -> str:
    """Killed again as soon as the backlog begins to come."""
    with ground.kafka_down():
        spooling(ground)
    with ground.kafka_down():
        time.sleep(AWAY_S)
    return "what was kept stayed until it was delivered"


@fault(under_load=False)
def bootstrap_refused(ground: Ground) -> str:
    """A gateway whose brokers refuse connections from its start; corrected later, over the same spool."""
    own = {"LOTSTREAM_GATEWAY__SPOOL_DIR": str(ground.directory / "refused")}
    with ground.extra("gateway", LOTSTREAM_KAFKA__BOOTSTRAP="127.0.0.1:1", **own) as extra:
        for _ in range(5):
            ground.account.insist(extra.url(), reader=ground.reader)
        kept = len(ground.account.acknowledged)
    with ground.extra("gateway", **own) as extra:
        extra.url()
        ground.wait(lambda: not list((ground.directory / "refused").glob("*.spool")), "an empty spool")
    return f"kept {kept} reads without ever having seen a broker; its successor sent them"


@fault()
def broker_refuses_the_size(ground: Ground) -> str:
    """The topic takes smaller messages than the gateway makes."""
    big, at = [f"E2FA{secrets.token_hex(10).upper()}" for _ in range(2_000)], time.time()  # nothing to compress
    with _largest(ground, "reads.v1", 5_000):
        answer = ground.account.post(ground.url, reader="big", tags=big, at=at)
        expect(answer.status_code == 503, f"Expected 503, got {answer.status_code}.")
        ground.account.insist(ground.url, reader=ground.reader)
    answer = ground.account.post(ground.url, reader="big", tags=big, at=at)
    return f"503 for the large request alone; {answer.status_code} when the topic was set right"


class _largest:  # noqa: N801 - reads as a verb where it is used
    def __init__(self, ground: Ground, topic: str, size: int) -> None:
        self._admin = AdminClient({"bootstrap.servers": ground.kafka.bootstrap})
        self._topic, self._size = topic, size

    def __enter__(self) -> None:
        self._alter(AlterConfigOpType.SET)

    def __exit__(self, *_: object) -> None:
        self._alter(AlterConfigOpType.DELETE)

    def _alter(self, how: AlterConfigOpType) -> None:
        entry = ConfigEntry("max.message.bytes", str(self._size), incremental_operation=how)
        resource = ConfigResource(ResourceType.TOPIC, self._topic, incremental_configs=[entry])
        for altered in self._admin.incremental_alter_configs([resource]).values():
            altered.result()
        time.sleep(0.5)  # the broker tells itself
