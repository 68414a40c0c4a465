"""The embedded broker is Kafka, and is gone when it should be."""

import asyncio
import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

import lotstream.deploy.embedded.kafka as kafka_module
from lotstream.deploy.embedded.jars import Jar, JarError, cache_dir, fetch_jars, read_lock
from lotstream.deploy.embedded.kafka import EmbeddedKafka, KafkaFailed
from lotstream.deploy.embedded.kafka_storage import WrongDataDirectory
from lotstream.deploy.embedded.ports import free_port, is_free
from lotstream.deploy.embedded.rundir import DirectoryInUse, published

pytestmark = pytest.mark.system

USER, PASSWORD = "lot", 'p"a\\ß,]=$ {}'
OWNER = """
import sys, time
from pathlib import Path
from lotstream.deploy.embedded.kafka import EmbeddedKafka
kafka = EmbeddedKafka(Path(sys.argv[1]))
kafka.start()
print(kafka.pid, kafka.bootstrap, flush=True)
time.sleep(300)
"""
FETCH = """
import sys
from pathlib import Path
from lotstream.deploy.embedded.jars import fetch_jars, read_lock
lock = tuple(sorted(read_lock(), key=lambda jar: jar.coordinate)[:4])
fetch_jars(lock, cache=Path(sys.argv[1]), on_progress=lambda done, total: print(done, total))
"""
QUIET = {"log_level": "0"}


def gone(pid: int, *, within_s: float) -> bool:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


def make_topic(name: str, *, client: dict[str, str]) -> None:
    admin = AdminClient(client)
    for future in admin.create_topics([NewTopic(name, num_partitions=2)]).values():
        future.result(30)


def send(topic: str, values: list[bytes], *, client: dict[str, str]) -> None:
    producer = Producer(client | {"acks": "all", "enable.idempotence": "true"})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def receive(topic: str, count: int, *, client: dict[str, str]) -> set[bytes | str | None]:
    consumer = Consumer(client | {"group.id": os.urandom(4).hex(), "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        got: set[bytes | str | None] = set()
        give_up = time.monotonic() + 30
        while len(got) < count and time.monotonic() < give_up:
            got |= {message.value() for message in consumer.consume(100, 0.2) if not message.error()}
        return got
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as kafka:
        yield kafka


def test_what_was_acknowledged_survives_kill_9(broker: EmbeddedKafka) -> None:
    """After kill -9 and restart the broker is on its port again, with every acknowledged message."""
    client = {"bootstrap.servers": broker.bootstrap, **QUIET}
    values = [b"%d" % n for n in range(200)]
    make_topic("kept", client=client)
    send("kept", values, client=client)
    before, pid = broker.bootstrap, broker.pid
    broker.kill()
    assert not broker.running
    assert gone(pid, within_s=1)
    broker.restart()
    assert broker.bootstrap == before
    assert receive("kept", 200, client=client) == set(values)


def test_only_the_loopback_listens(broker: EmbeddedKafka) -> None:
    """No socket of the broker listens beyond 127.0.0.1."""
    links = []
    for link in Path(f"/proc/{broker.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a file that the broker closed while we looked
            links.append(str(link.readlink()))
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/{broker.pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]
    ]
    listening = [row[1].rpartition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes]
    assert len(listening) == 2
    # 127.0.0.1 as the kernel prints it, alone and mapped into IPv6
    assert set(listening) <= {"0100007F", "0000000000000000FFFF00000100007F"}


def test_unknown_topics_are_not_made(broker: EmbeddedKafka) -> None:
    """Asking for a topic that does not exist does not make it."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, **QUIET})
    admin.list_topics("misspelt", timeout=10)
    assert "misspelt" not in admin.list_topics(timeout=10).topics


def test_taken_port_is_said(tmp_path: Path) -> None:
    """A port that somebody else listens on is named, and nothing is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        kafka = EmbeddedKafka(tmp_path, port=port)
        with pytest.raises(KafkaFailed, match=f"Expected port {port} to be free, got it in use"), kafka:
            pytest.fail("it started")


def test_lost_race_for_a_port_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody takes the chosen port before the broker does, another one is chosen."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = iter([taken])
        monkeypatch.setattr(kafka_module, "free_port", lambda: next(ports, None) or free_port())
        with EmbeddedKafka() as kafka:
            assert kafka.running
            assert kafka.bootstrap != f"127.0.0.1:{taken}"
            assert next(ports, None) is None


def test_directory_is_published_owned_and_given_back(tmp_path: Path) -> None:
    """While it runs the broker's address is found in the run directory and nobody else can have its data."""
    data, run = tmp_path / "data", tmp_path / "run"
    with EmbeddedKafka(data, run_dir=run) as kafka:
        facts = published(run, "kafka")
        assert facts is not None
        assert facts["bootstrap"] == kafka.bootstrap
        assert facts["pid"] == kafka.pid
        with pytest.raises(DirectoryInUse) as caught, EmbeddedKafka(data):
            pytest.fail("it started")
        assert str(caught.value) == (
            f"Expected a free Kafka data directory, got {data}, in use by process {os.getpid()}."
        )
        pid, port = kafka.pid, int(kafka.bootstrap.rpartition(":")[2])
    assert published(run, "kafka") is None
    assert gone(pid, within_s=1)
    assert is_free(port)
    marker = data / "kafka-version.json"
    marker.write_text(json.dumps({"kafka": "3.9.0"}), encoding="utf-8")
    with pytest.raises(WrongDataDirectory, match=r"Kafka 4.3.1, got one of '3.9.0'"), EmbeddedKafka(data):
        pytest.fail("it started")


def test_kill_9_of_the_owner_leaves_nothing(tmp_path: Path) -> None:
    """A broker whose owner was killed -9 ends, and the next owner gets its data without waiting by hand."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid, bootstrap = owner.stdout.readline().split()
    owner.stdout.close()
    client = {"bootstrap.servers": bootstrap, **QUIET}
    make_topic("left", client=client)
    send("left", [b"behind"], client=client)
    owner.kill()
    owner.wait()
    with EmbeddedKafka(tmp_path) as heir:
        assert gone(int(pid), within_s=0.1)
        assert receive("left", 1, client={"bootstrap.servers": heir.bootstrap, **QUIET}) == {b"behind"}


def test_broken_broker_says_why(tmp_path: Path) -> None:
    """A broker that cannot run gives the last lines of its log at once, not a time-out."""
    with EmbeddedKafka(tmp_path):
        pass
    (tmp_path / "topics" / "meta.properties").write_text("version=7\n", encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(KafkaFailed, match=r"(?s)Expected a broker listening, got one that ended.*meta"):
        EmbeddedKafka(tmp_path).start()
    assert time.monotonic() - began < 20


@pytest.fixture(scope="module")
def secured() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(sasl=(USER, PASSWORD)) as kafka:
        yield kafka


def sasl_client(kafka: EmbeddedKafka, *, password: str = PASSWORD) -> dict[str, str]:
    return {
        "bootstrap.servers": kafka.bootstrap,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": USER,
        "sasl.password": password,
        "ssl.ca.location": str(kafka.ca_file),
        **QUIET,
    }


def test_both_client_families_enter_by_sasl_ssl(secured: EmbeddedKafka) -> None:
    """What librdkafka writes aiokafka reads, and the other way round, over TLS with SCRAM-SHA-512."""
    make_topic("both", client=sasl_client(secured))
    send("both", [b"librdkafka"], client=sasl_client(secured))

    async def exchange() -> bytes:
        access = {
            "bootstrap_servers": secured.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": USER,
            "sasl_plain_password": PASSWORD,
            "ssl_context": ssl.create_default_context(cafile=str(secured.ca_file)),
        }
        async with AIOKafkaProducer(**access) as producer:
            await producer.send_and_wait("both", b"aiokafka")
        async with AIOKafkaConsumer("both", auto_offset_reset="earliest", **access) as consumer:
            got = {(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(2)}
        return b" ".join(sorted(got))

    assert asyncio.run(exchange()) == b"aiokafka librdkafka"
    assert receive("both", 2, client=sasl_client(secured)) == {b"librdkafka", b"aiokafka"}


def test_transactions_work_inside(secured: EmbeddedKafka) -> None:
    """The broker's own connections (transaction markers) pass its secured door too."""
    make_topic("in-transaction", client=sasl_client(secured))
    producer = Producer(sasl_client(secured) | {"transactional.id": "t"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("in-transaction", b"sold")
    producer.commit_transaction(30)
    committed = sasl_client(secured) | {"isolation.level": "read_committed"}
    assert receive("in-transaction", 1, client=committed) == {b"sold"}


@pytest.mark.parametrize("how", ["wrong password", "plaintext", "untrusted"])
def test_others_stay_outside(secured: EmbeddedKafka, how: str) -> None:
    """A wrong password, a client without TLS and one that does not trust the certificate get nothing."""
    client = sasl_client(secured, password="wrong" if how == "wrong password" else PASSWORD)
    if how == "plaintext":
        client = {"bootstrap.servers": secured.bootstrap, **QUIET}
    if how == "untrusted":
        del client["ssl.ca.location"]
    admin = AdminClient(client)
    with pytest.raises(KafkaException, match=r"_TRANSPORT|_TIMED_OUT"):
        admin.list_topics(timeout=2)


def test_jars_from_a_directory_suffice(tmp_path: Path) -> None:
    """A machine without a network runs the broker from a directory of jars and fetches nothing.

    Its first broker leaves a class archive that the next one starts from; a spoilt one does no harm.
    """
    empty = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    fetch_jars(read_lock(), cache=cache_dir(os.environ))
    archives = []
    for _ in range(3):
        with EmbeddedKafka(tmp_path / "data", jars=cache_dir(os.environ), env=empty) as kafka:
            maps = Path(f"/proc/{kafka.pid}/maps").read_text(encoding="utf-8")
        (archive,) = (tmp_path / "cache").rglob("kafka.jsa")
        archives.append(str(archive) in maps)
        if archives[-1]:
            archive.chmod(0o600)
            os.truncate(archive, 100_000)
    assert archives == [False, True, False]
    assert not cache_dir(empty).exists()


def test_two_processes_may_fetch_at_once(tmp_path: Path) -> None:
    """Two processes that fill one cache at the same time both end with verified jars, and leave nothing else."""
    both = [
        subprocess.Popen([sys.executable, "-c", FETCH, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert out.splitlines()[-1] == "4 4"
    wanted = {jar.file_name: jar.sha256 for jar in sorted(read_lock(), key=lambda jar: jar.coordinate)[:4]}
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()} == wanted


def test_fetched_jar_with_other_bytes_is_refused(tmp_path: Path) -> None:
    """A fetched jar whose bytes are not the lock's is refused with both digests, and never enters the cache."""
    real = next(jar for jar in read_lock() if ":jspecify:" in jar.coordinate)
    with pytest.raises(JarError, match=f"Expected sha256 {'0' * 64} of {real.coordinate}, got {real.sha256}"):
        fetch_jars((Jar(real.coordinate, "0" * 64),), cache=tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / real.file_name).write_bytes(b"spoilt")
    assert fetch_jars((real,), cache=tmp_path) == [tmp_path / real.file_name]


def test_fetch_without_a_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a network is told of the directory of jars, after a few attempts."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(JarError, match=r"Expected to fetch .*, got ProxyError 3 times\. Without a network, .*--jars"):
        fetch_jars(read_lock()[:1], cache=tmp_path)
    assert list(tmp_path.iterdir()) == []
