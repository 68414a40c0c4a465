"""One `[kafka]` section for both client families: a dictionary for librdkafka, `KafkaAccess` for asyncio.

Keys are librdkafka's: https://github.com/confluentinc/librdkafka, CONFIGURATION.md.
"""

import logging
import ssl
import time
from dataclasses import dataclass, field
from typing import TypeAlias

from lotstream.runtime.sections import KafkaSettings, SettingsInvalid

REPEAT_S = 10.0
ClientConfig: TypeAlias = dict[str, str | int | bool | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAccess:
    """What an asyncio client needs to connect. `repr` shows no secret."""

    brokers: tuple[str, ...]
    security_protocol: str
    sasl_mechanism: str | None
    username: str | None
    password: str | None = field(repr=False)
    ssl_context: ssl.SSLContext | None


def client_config(kafka: KafkaSettings, *, client_id: str) -> ClientConfig:
    """Connection part of a confluent_kafka configuration. Raises `SettingsInvalid` when a secret is unreadable."""
    config: ClientConfig = {
        "bootstrap.servers": ",".join(_brokers(kafka)),
        "client.id": client_id,
        "security.protocol": kafka.security_protocol.value,
        # a broker that restarts is wanted back at once, not after librdkafka's 10 s
        "reconnect.backoff.max.ms": 1_000,
        "socket.nagle.disable": True,
    }
    if kafka.security_protocol.sasl:
        config["sasl.mechanism"] = kafka.sasl_mechanism.value
        config["sasl.username"] = kafka.username or ""
        config["sasl.password"] = kafka.secret() or ""
    if kafka.ca_file is not None:
        config["ssl.ca.location"] = str(kafka.ca_file)
    return config


def client_log(name: str) -> logging.Logger:
    """A logger for librdkafka. In an outage it repeats itself twenty times a second, for each client and for as long
    as it takes: of each kind one line in ten seconds is told."""
    log = logging.getLogger(f"{name}.librdkafka")
    if not log.filters:
        log.addFilter(_Sparing())
    return log


class _Sparing(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now = record.getMessage().partition(" ")[0], time.monotonic()
        if now - self._told.get(kind, -REPEAT_S) < REPEAT_S:
            return False
        self._told[kind] = now
        return True


def access(kafka: KafkaSettings) -> KafkaAccess:
    """The same for an asyncio client. Raises `SettingsInvalid` for an unreadable secret or certificate."""
    sasl = kafka.security_protocol.sasl
    return KafkaAccess(
        brokers=_brokers(kafka),
        security_protocol=kafka.security_protocol.value,
        sasl_mechanism=kafka.sasl_mechanism.value if sasl else None,
        username=kafka.username if sasl else None,
        password=kafka.secret() if sasl else None,
        ssl_context=_ssl_context(kafka) if kafka.security_protocol.tls else None,
    )


def _brokers(kafka: KafkaSettings) -> tuple[str, ...]:
    return tuple(part.strip() for part in kafka.bootstrap.split(","))


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=kafka.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(
            f"Expected PEM certificates in {str(kafka.ca_file)!r}, got {type(error).__name__}."
        ) from None
