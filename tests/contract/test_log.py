"""Reading a topic as it is now, on the real broker."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from lotstream.runtime.errors import Transient
from lotstream.runtime.log import read_log
from lotstream.runtime.settings import KafkaSettings

TOPIC = "read-log"
PARTITIONS = 3


@pytest.fixture(scope="module")
def settings(kafka: str) -> KafkaSettings:
    """A topic of three partitions, one of them empty: 20 records with times of 1, 2 ... s."""
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
        future.result()
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(20):
        producer.produce(
            TOPIC, b"%d" % number, b"k", number % 2, headers=[("h", b"v")], timestamp=1_000_000_000_000 + number * 1_000
        )
    assert producer.flush(10) == 0
    return KafkaSettings(bootstrap=kafka)


def test_every_record_once_in_order(settings: KafkaSettings) -> None:
    """All records of all partitions, each once, in the order of their partition, with all that they bear."""
    found = list(read_log(settings, TOPIC))
    assert sorted(int(record.value or b"") for record in found) == list(range(20))
    for partition in range(PARTITIONS):
        offsets = [record.offset for record in found if record.partition == partition]
        assert offsets == list(range(10 if partition < 2 else 0))
    first = next(record for record in found if record.value == b"0")
    assert (first.key, first.headers, first.timestamp_us) == (b"k", (("h", b"v"),), 1_000_000_000_000_000)
    assert first.where == "read-log:0:0"


def test_since_an_instant(settings: KafkaSettings) -> None:
    """What was written before the instant is left out."""
    found = read_log(settings, TOPIC, since_us=(1_000_000_000_000 + 17_000) * 1_000)
    assert sorted(int(record.value or b"") for record in found) == [17, 18, 19]


@pytest.mark.parametrize(("starts", "count"), [({0: 8}, 2), ({0: 10}, 0), ({1: 99}, 0), ({2: 0}, 0), ({7: 0}, 0)])
def test_from_an_offset(settings: KafkaSettings, starts: dict[int, int], count: int) -> None:
    """From an offset on; where there is nothing, nothing is waited for."""
    assert len(list(read_log(settings, TOPIC, starts=starts))) == count


def test_a_topic_that_is_not_there(settings: KafkaSettings) -> None:
    """It is said which, and what to do."""
    with pytest.raises(Transient, match="no-such-topic"):
        list(read_log(settings, "no-such-topic"))


def test_brokers_that_do_not_answer() -> None:
    """An outage is one, and is not waited for."""
    with pytest.raises(Transient):
        list(read_log(KafkaSettings(bootstrap="127.0.0.1:1"), TOPIC, timeout_s=1.0))
