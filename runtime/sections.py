"""The sections of the settings: what can be set, within which limits, and what it means."""

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_serializer, model_validator

DAY_MS = 86_400_000


class SettingsInvalid(Exception):
    """The settings cannot be used as they stand; the message names every key concerned, and no secret."""


class SecurityProtocol(StrEnum):
    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def sasl(self) -> bool:
        return self in (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL)

    @property
    def tls(self) -> bool:
        return self in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)


class SaslMechanism(StrEnum):
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Retention(StrEnum):
    """Topics that are kept equally long."""

    READS = "reads"
    SIGHTINGS = "sightings"
    MOVEMENTS = "movements"
    FACTS = "facts"
    SIGNALS = "signals"


def is_loopback(host: str) -> bool:
    """Whether a server listening at `host` is out of reach of other machines."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hosts(value: str) -> str:
    for part in value.split(","):
        host, colon, port = part.strip().rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"Expected host:port[,host:port...], got {value!r}.")
    return value


def _hook(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("Expected http(s)://host[:port]/path without a user, got another address.")
    return value


def _origin(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme not in ("http", "https") or not separator or not rest or set("@/?#") & set(rest.rstrip("/")):
        shown = "an address with something more in it" if "@" in value else repr(value)
        raise ValueError(f"Expected http(s)://host:port, got {shown}.")
    return value.rstrip("/")


Port = Annotated[int, Field(ge=0, le=65535)]
Days = Annotated[int, Field(ge=0, le=36_500)]
NamePart = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$", max_length=64)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class KafkaSettings(Section):
    """How to reach the brokers; both client families are configured from it."""

    bootstrap: Annotated[str, AfterValidator(_hosts)] = Field(
        "127.0.0.1:9092", description="Brokers to start from, `host:port[,host:port...]`."
    )
    security_protocol: SecurityProtocol = Field(SecurityProtocol.PLAINTEXT, description="Transport and authentication.")
    sasl_mechanism: SaslMechanism = Field(
        SaslMechanism.SCRAM_SHA_512, description="How to authenticate when the protocol is a SASL one."
    )
    username: str | None = Field(None, description="SASL user.")
    password: SecretStr | None = Field(None, description="SASL password; better `password_file`.")
    password_file: Path | None = Field(None, description="File whose content is the SASL password.")
    ca_file: Path | None = Field(
        None, description="PEM certificates that sign the brokers'; without it, those of the system."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _one_secret(self.password, self.password_file, name="password")
        given = self.username is not None or self.password is not None or self.password_file is not None
        if self.security_protocol.sasl and not (self.username and (self.password or self.password_file)):
            raise ValueError(f"Expected username and password for {self.security_protocol}, got none or one.")
        if given and not self.security_protocol.sasl:
            raise ValueError(f"Expected a SASL security_protocol beside credentials, got {self.security_protocol}.")
        if self.ca_file is not None and not self.security_protocol.tls:
            raise ValueError(f"Expected SSL or SASL_SSL beside ca_file, got {self.security_protocol}.")
        return self

    def secret(self) -> str | None:
        """The SASL password, read from its file if need be. Raises `SettingsInvalid`."""
        return read_secret(self.password, self.password_file)


class TopicSettings(Section):
    """What the topics are called and how they are made. Their list is a table of the product."""

    prefix: NamePart = Field(
        "", description="Before every topic, consumer group and application name, for example `plant7.`."
    )
    partitions: int = Field(
        24, ge=1, le=1024, description="Partitions of every topic. Never changed while an installation lives."
    )
    replication: int = Field(
        1, ge=1, le=9, description="Copies of every partition; 3 on a cluster, with two of them in sync."
    )
    reads_days: Days = Field(7, description="Days that reads.v1 is kept; 0 is for ever.")
    sightings_days: Days = Field(7, description="Days of sightings.v1 and lot-sightings.v1; 0 is for ever.")
    movements_days: Days = Field(7, description="Days of movements.v1; 0 is for ever.")
    facts_days: Days = Field(
        0, description="Days of events.v1, identity.v1, lots.v1, documents.v1 and operations.v1; 0 is for ever."
    )
    signals_days: Days = Field(
        180, description="Days of blind-windows.v1, alerts.v1 and dead-letters.v1; 0 is for ever."
    )

    def name(self, topic: str) -> str:
        """The name on the broker of a topic of the table, for example `reads.v1`."""
        return f"{self.prefix}{topic}"

    def retention_ms(self, kept: Retention) -> int:
        """`retention.ms` of a group of topics; -1 is for ever."""
        days = {
            Retention.READS: self.reads_days,
            Retention.SIGHTINGS: self.sightings_days,
            Retention.MOVEMENTS: self.movements_days,
            Retention.FACTS: self.facts_days,
            Retention.SIGNALS: self.signals_days,
        }[kept]
        return days * DAY_MS if days else -1


class ClickhouseSettings(Section):
    """Where the history is. Writing and reading are two users."""

    url: Annotated[str, AfterValidator(_origin)] = Field(
        "http://127.0.0.1:8123", description="`http(s)://host:port` of ClickHouse's HTTP interface."
    )
    database: str = Field("lotstream", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$", description="Database of all tables.")
    user: str = Field("lotstream_writer", description="User of migrations and sinks.")
    password: SecretStr | None = Field(None, description="Password of `user`; better `password_file`.")
    password_file: Path | None = Field(None, description="File whose content is the password of `user`.")
    reader_user: str = Field("lotstream_reader", description="User of recall queries; may only read.")
    reader_password: SecretStr | None = Field(
        None, description="Password of `reader_user`; better `reader_password_file`."
    )
    reader_password_file: Path | None = Field(None, description="File whose content is the password of `reader_user`.")
    ca_file: Path | None = Field(None, description="PEM certificates that sign the server's, for https.")
    verify: bool = Field(True, description="Check the server's certificate. Off only on a bench.")
    facts_days: Days = Field(
        0,
        description="Days that events, bindings, lots, documents and quantities are kept; 0 is for ever. 21 CFR 1.1455"
        " (FSMA 204) wants 24 months, the guidance to Regulation (EC) 178/2002 five years.",
    )
    sightings_days: Days = Field(
        0,
        description="Days that sightings, of tags and of units of lots, are kept; 0 is for ever. Not longer than"
        " the facts that say whose they are; the law is the same.",
    )
    signals_days: Days = Field(
        0,
        description="Days that reader events, blind windows, dead letters and operations are kept; 0 is for ever."
        " No law names them; an answer names the blind windows that could hide more.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _one_secret(self.password, self.password_file, name="password")
        _one_secret(self.reader_password, self.reader_password_file, name="reader_password")
        if self.ca_file is not None and not self.url.startswith("https:"):
            raise ValueError(f"Expected an https url beside ca_file, got {self.url!r}.")
        if self.facts_days and not 0 < self.sightings_days <= self.facts_days:
            raise ValueError(
                f"Expected sightings_days from 1 to facts_days ({self.facts_days}), got {self.sightings_days}:"
                " a sighting is kept no longer than what says whose it is."
            )
        return self

    def secret(self) -> str:
        """The password of `user`, empty when none is set. Raises `SettingsInvalid`."""
        return read_secret(self.password, self.password_file) or ""

    def reader_secret(self) -> str:
        """The password of `reader_user`, empty when none is set. Raises `SettingsInvalid`."""
        return read_secret(self.reader_password, self.reader_password_file) or ""


class GatewaySettings(Section):
    """The door through which reads and events come in."""

    host: str = Field("127.0.0.1", description="Address to listen at; beyond this machine only with tokens.")
    port: Port = Field(8088, description="Port to listen at; 0 takes a free one and tells it in `run_dir`.")
    tokens_file: Path | None = Field(
        None, description="Tokens of the sources, one `source-id token` a line; once set, each needs its own."
    )
    cert_file: Path | None = Field(None, description="PEM certificate chain: the gateway speaks https.")
    key_file: Path | None = Field(None, description="PEM private key of `cert_file`.")
    site_file: Path | None = Field(
        None, description="Site description: locations, read points, readers, antennas and their sides."
    )
    max_body_bytes: int = Field(
        16_777_216, ge=1_024, description="Largest request body, unpacked; a larger one is answered with 413."
    )
    batch_reads: int = Field(500, ge=1, le=10_000, description="Reads of a door that make a batch full.")
    batch_ms: int = Field(50, ge=0, le=10_000, description="Longest wait of a read for its batch to fill.")
    spool_dir: Path | None = Field(
        None, description="Where requests are kept while Kafka is away; without it `spool` in `data_dir`."
    )
    spool_bytes: int = Field(
        8_589_934_592,
        ge=0,
        description="Most that is kept there: a day of 1,000 reads a second. 0 keeps nothing: 503 at once.",
    )
    spool_hours: float = Field(
        24.0, gt=0.0, le=8_760.0, description="Age of the oldest request from which no further one is kept."
    )
    dead_letters_burst: int = Field(
        2_000, ge=0, description="Dead letters of one source at once, beyond which it is stopped for a while; 0: never."
    )
    dead_letters_per_minute: float = Field(
        600.0, gt=0.0, description="Dead letters of one source a minute, in the long run, that do not stop it."
    )

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not is_loopback(self.host) and self.tokens_file is None:
            raise ValueError(f"Expected tokens_file to listen beyond this machine, got host {self.host!r} alone.")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("Expected cert_file and key_file together, got one of them.")
        return self


class StateStore(StrEnum):
    """Where a stage keeps a copy of its changelog."""

    MEMORY = "memory"
    ROCKSDB = "rocksdb"


class StreamSettings(Section):
    """The four stages, and what smooth does at a read point without a policy of its own."""

    group_prefix: NamePart = Field("lotstream.", description="Before the consumer group of each stage and sink.")
    linger_ms: int = Field(5, ge=0, le=1_000, description="Longest wait of an output for its message to fill.")
    checkpoint_s: float = Field(
        2.0, ge=0.1, le=60.0, description="Seconds between two snapshots of a stage that snapshots."
    )
    commit_s: float = Field(1.0, ge=0.05, le=60.0, description="Seconds between two commits of a stage's offsets.")
    session_timeout_s: float = Field(
        10.0, ge=6.0, le=300.0, description="Seconds of silence after which a worker's partitions move."
    )
    instance_id: NamePart | None = Field(
        None, description="Static membership: a name per worker that stays over restarts, for a quick return."
    )
    idle_s: float = Field(1.0, ge=0.1, le=60.0, description="Seconds without reads before a tick drives log time.")
    silence_s: float = Field(
        2.0, gt=0.0, le=30.0, description="Silence that ends a run of reads at a read point, by default."
    )
    store: StateStore = Field(
        StateStore.MEMORY,
        description="Where stages have state beside Kafka; `rocksdb`: also on the disk, below `data_dir`, so that a "
        "restart reads only what is newer (needs the extra `rocksdb`).",
    )
    observe_count: int = Field(
        2, ge=1, le=1_000, description="Reads from which a tag is observed rather than glimpsed, by default."
    )
    remember_s: float = Field(
        120.0, ge=30.0, le=86_400.0, description="Log time after a slot in which late reads still join it."
    )
    unknown_tags: int = Field(
        20_000, ge=1, le=10_000_000, description="Tags of no known lot whose sightings wait for one, per partition."
    )
    unknown_age_s: float = Field(
        604_800.0,
        ge=60.0,
        description="Seconds since its newest sighting was received after which such a tag waits no more.",
    )


class SinkSettings(Section):
    """From Kafka into ClickHouse."""

    batch_rows: int = Field(100_000, ge=1, le=5_000_000, description="Rows that make an insert full.")
    batch_ms: int = Field(500, ge=1, le=60_000, description="Longest wait of a row for its insert to fill.")
    max_pending_bytes: int = Field(
        67_108_864, ge=1_048_576, description="Bytes held while ClickHouse is away; then consumption pauses."
    )


class WebhookSettings(Section):
    """Where alerts are posted to, by the sink `webhook`."""

    url: Annotated[str, AfterValidator(_hook)] | None = Field(
        None, description="Address that takes a POST of each change of an alert; https, or on this machine."
    )
    plain: bool = Field(False, description="Allow http to another machine: alerts travel unencrypted.")
    secret_file: Path | None = Field(None, description="File whose content is the key of the signature.")
    ca_file: Path | None = Field(None, description="PEM certificates that sign the receiver's, for https.")
    timeout_s: float = Field(10.0, gt=0.0, le=60.0, description="Longest wait for an answer.")
    retries: int = Field(
        300,
        ge=0,
        description="Further attempts, at most 2 s apart, after which an alert goes to the dead letters;"
        " those after it wait meanwhile.",
    )

    @field_serializer("url", when_used="json-unless-none")
    def _shown(self, url: str) -> str:
        """Without its path, which may be a secret."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/..."

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.url is None:
            return self
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.plain and not is_loopback(parts.hostname or ""):
            raise ValueError(
                f"Expected https to another machine, or plain = true, got {parts.scheme}://{parts.netloc}."
            )
        if self.secret_file is None:
            raise ValueError("Expected secret_file beside url, got none: the receiver could not tell who posts.")
        if self.ca_file is not None and parts.scheme != "https":
            raise ValueError("Expected an https url beside ca_file, got http.")
        return self

    def secret(self) -> bytes:
        """The key of the signature. Raises `SettingsInvalid`."""
        return (read_secret(None, self.secret_file) or "").encode()


class MetricsSettings(Section):
    """Metrics and health of each process, over HTTP."""

    host: str = Field("127.0.0.1", description="Address to listen at; beyond this machine only with a token.")
    port: Port = Field(0, description="Port to listen at; 0 takes a free one and tells it in `run_dir`.")
    token_file: Path | None = Field(
        None, description="File whose content is the bearer token of /metrics and of the details of health."
    )
    stale_after_s: float = Field(
        30.0,
        ge=1.0,
        le=3_600.0,
        description="Seconds without a beat of the process' loop before /healthz fails.",
    )

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not is_loopback(self.host) and self.token_file is None:
            raise ValueError(f"Expected token_file to listen beyond this machine, got host {self.host!r} alone.")
        return self


class LogSettings(Section):
    """What a process says on stderr."""

    level: LogLevel = Field(LogLevel.INFO, description="Least level written.")
    format: LogFormat = Field(LogFormat.JSON, description="`json`, a line per record, or `text` for a terminal.")


def read_secret(value: SecretStr | None, file: Path | None) -> str | None:
    """A secret as set or from its file, without the final line break. Raises `SettingsInvalid`."""
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return None
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"Expected a readable secret file, got {type(error).__name__} at {str(file)!r}."
        ) from None
    if not secret:
        raise SettingsInvalid(f"Expected a secret in {str(file)!r}, got an empty file.")
    return secret


def _one_secret(value: SecretStr | None, file: Path | None, *, name: str) -> None:
    if value is not None and file is not None:
        raise ValueError(f"Expected {name} or {name}_file, got both.")
