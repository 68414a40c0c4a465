"""A record that nobody understands, in every topic: a dead letter with its bytes, and the others go on."""

import secrets

from confluent_kafka import Producer

from tests.faults.fault import expect, fault
from tests.faults.ground import Ground

WITHIN_S = 40.0


def poison(ground: Ground, topic: str) -> str:
    """Put bytes into the first partition and find them again among the dead letters."""
    alive = {name: ground.process(name).pid for name in ground.names}
    bytes_ = b"\xff{poison " + secrets.token_bytes(8)
    delivered: list[int] = []
    producer = Producer({"bootstrap.servers": ground.kafka.bootstrap})
    producer.produce(topic, bytes_, partition=0, on_delivery=lambda _, message: delivered.append(message.offset()))
    producer.flush(10)
    origin = f"{topic}:0:{delivered[0]}"
    database = ground.settings.clickhouse.database
    stages: list[str] = []

    def there() -> bool:
        found = ground.rows(
            f"SELECT DISTINCT stage, hex(bytes) FROM {database}.dead_letters WHERE origin = {{origin:String}}",
            origin=origin,
        )
        stages[:] = sorted(stage for stage, _ in found)
        return bool(found) and all(bytes.fromhex(untouched) == bytes_ for _, untouched in found)

    ground.wait(there, f"a dead letter of {origin} with its bytes", within_s=WITHIN_S)
    ended = [name for name, pid in alive.items() if ground.process(name).pid != pid]
    expect(not ended, f"Expected every process to go on, got {ended} started anew.")
    return f"dead letter of {origin} by {', '.join(stages)}, bytes untouched; nothing ended"


@fault()
def poison_in_reads(ground: Ground) -> str:
    return poison(ground, "reads.v1")


@fault()
def poison_in_events(ground: Ground) -> str:
    return poison(ground, "events.v1")


@fault()
def poison_in_sightings(ground: Ground) -> str:
    return poison(ground, "sightings.v1")


@fault()
def poison_in_identity(ground: Ground) -> str:
    return poison(ground, "identity.v1")


@fault()
def poison_in_lot_sightings(ground: Ground) -> str:
    return poison(ground, "lot-sightings.v1")


@fault()
def poison_in_lots(ground: Ground) -> str:
    return poison(ground, "lots.v1")


@fault()
def poison_in_documents(ground: Ground) -> str:
    return poison(ground, "documents.v1")


@fault()
def poison_in_blind_windows(ground: Ground) -> str:
    return poison(ground, "blind-windows.v1")
