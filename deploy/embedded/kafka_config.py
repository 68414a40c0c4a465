"""What the embedded broker is told: its properties and its virtual machine's arguments."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NODE_ID = 1
MECHANISM = "SCRAM-SHA-512"
LOG4J_FILE = Path(__file__).with_name("log4j2.properties")

SMALL: Mapping[str, str] = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    # how long a broker that was killed is still taken for alive, and its successor refused; one that a busy machine
    # lets stand still for longer is taken for dead
    "broker.session.timeout.ms": "6000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    # the map of the cleaner is allocated at once: 128 MiB by default
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
    # enough index entries for a segment of 1 GiB; files of this size are laid out for every partition
    "log.index.size.max.bytes": str(2 << 20),
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """`key_store`: the server's key and chain in one PEM file; `ca_file`: what a client trusts."""

    key_store: Path
    ca_file: Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one user of a broker with a SASL_SSL door, and the certificate of that door."""

    user: str
    password: str
    certificate: Certificate


def check_sasl(sasl: tuple[str, str]) -> None:
    """Raises ValueError for a user or password that Kafka's configuration files cannot carry."""
    user, password = sasl
    if not re.fullmatch(r"[A-Za-z0-9._-]+", user):
        raise ValueError(f"Expected a user of letters, digits, '.', '_' and '-', got {user!r}.")
    if not (password and password.isprintable()):
        raise ValueError("Expected a password of printable characters, got another one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Where one broker listens (loopback only) and keeps its data."""

    port: int
    controller_port: int
    log_dir: Path
    credentials: Credentials | None = None


def server_properties(node: Node) -> dict[str, str]:
    """The broker's configuration: one node that is broker and controller."""
    door = "SASL_SSL" if node.credentials else "PLAINTEXT"
    inside = "SSL" if node.credentials else "PLAINTEXT"
    properties = {
        "process.roles": "broker,controller",
        "node.id": str(NODE_ID),
        "controller.quorum.voters": f"{NODE_ID}@127.0.0.1:{node.controller_port}",
        "listeners": f"{door}://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"{door}://127.0.0.1:{node.port}",
        "inter.broker.listener.name": door,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": f"{door}:{door},CONTROLLER:{inside}",
        "log.dirs": str(node.log_dir),
        **SMALL,
    }
    if node.credentials:
        properties |= _security(node.credentials)
    return properties


def _security(credentials: Credentials) -> dict[str, str]:
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    user, password = _jaas(credentials.user), _jaas(credentials.password)
    return {
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{login} username={user} password={password};",
        "listener.name.controller.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(credentials.certificate.key_store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(credentials.certificate.ca_file),
    }


def _jaas(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def properties_text(properties: Mapping[str, str]) -> str:
    """The `.properties` format of Java: backslashes doubled, everything beyond ASCII as UTF-16 escapes."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in properties.items())


def _escaped(value: str) -> str:
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04X}" for code in codes)


def jvm_arguments(class_path: Iterable[Path], *, heap_mb: int, temp_dir: Path) -> list[str]:
    """What stands before the main class, chosen for a quick start and a small process."""
    return [
        f"-Xmx{heap_mb}m",
        "-Xshare:auto",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={temp_dir}",
        f"-Dlog4j2.configurationFile={LOG4J_FILE}",
        "-cp",
        ":".join(map(str, class_path)),
    ]


def argument_file(arguments: Sequence[str]) -> str:
    """The text of a file that `java @FILE` reads: keeps passwords off the command line, which everybody can read."""
    quoted = (argument.replace("\\", "\\\\").replace('"', '\\"') for argument in arguments)
    return "".join(f'"{argument}"\n' for argument in quoted)
