"""The settings of an installation: one frozen tree, from one TOML file and the environment.

`LOTSTREAM_KAFKA__BOOTSTRAP` sets `bootstrap` of `[kafka]`; the environment wins over the file. A key that
nobody knows is an error, never ignored. `docs/settings.md` is generated from the descriptions here.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from lotstream.runtime.sections import (
    ClickhouseSettings,
    GatewaySettings,
    KafkaSettings,
    LogFormat,
    LogLevel,
    LogSettings,
    MetricsSettings,
    Retention,
    SaslMechanism,
    Section,
    SecurityProtocol,
    SettingsInvalid,
    SinkSettings,
    StateStore,
    StreamSettings,
    TopicSettings,
    WebhookSettings,
)

__all__ = [
    "ClickhouseSettings",
    "GatewaySettings",
    "KafkaSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "MetricsSettings",
    "Retention",
    "SaslMechanism",
    "SecurityProtocol",
    "Settings",
    "SettingsInvalid",
    "SinkSettings",
    "StateStore",
    "StreamSettings",
    "TopicSettings",
    "WebhookSettings",
    "known_keys",
    "load_settings",
]

PREFIX = "LOTSTREAM_"
CONFIG = "LOTSTREAM_CONFIG"
TESTS = "LOTSTREAM_TEST_"  # addresses of real servers for the contract suites; no setting of a process
DEFAULT_FILE = Path("lotstream.toml")


class Settings(Section):
    """The whole tree."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    topics: TopicSettings = Field(default_factory=TopicSettings)
    clickhouse: ClickhouseSettings = Field(default_factory=ClickhouseSettings)
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    stream: StreamSettings = Field(default_factory=StreamSettings)
    sink: SinkSettings = Field(default_factory=SinkSettings)
    webhook: WebhookSettings = Field(default_factory=WebhookSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    run_dir: Path = Field(
        Path("run"),
        description="What the processes of one machine tell each other: addresses, pids, log files.",
    )
    data_dir: Path = Field(Path("run/data"), description="Data of the embedded broker and engine.")

    def group(self, name: str) -> str:
        """Consumer group of a stage or sink; the topic prefix is in it, so that installations stay apart."""
        return f"{self.stream.group_prefix}{self.topics.prefix}{name}"

    def shown(self) -> dict[str, Any]:
        """The effective settings for the start-up log, as JSON values, secrets masked."""
        return self.model_dump(mode="json")


def load_settings(file: Path | None, env: Mapping[str, str]) -> Settings:
    """Settings from `file` and `env`; the environment wins.

    Without `file`, the one that `LOTSTREAM_CONFIG` names, else `lotstream.toml` of the working directory if
    it is there. Raises `SettingsInvalid` with one line per key concerned.
    """
    tree = _read(file if file is not None else _default_file(env))
    _overlay(tree, env)
    try:
        return Settings.model_validate(tree)
    except ValidationError as invalid:
        raise SettingsInvalid("\n".join(_line(error) for error in invalid.errors())) from None


def known_keys() -> tuple[str, ...]:
    """Every setting as a dotted key, in the order of the page."""
    return tuple(".".join(path) for path in _paths(Settings))


def _default_file(env: Mapping[str, str]) -> Path | None:
    if named := env.get(CONFIG):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"Expected a readable file at {str(file)!r}, got {type(error).__name__}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"Expected TOML in {str(file)!r}, got: {error}.") from None


def _overlay(tree: dict[str, Any], env: Mapping[str, str]) -> None:
    for variable, value in sorted(env.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG or variable.startswith(TESTS):
            continue
        *sections, leaf = variable.removeprefix(PREFIX).lower().split("__")
        place = tree
        for section in sections:
            inner = place.setdefault(section, {})
            if not isinstance(inner, dict):
                raise SettingsInvalid(f"{variable}: Expected a known setting, got one below a value.")
            place = inner
        place[leaf] = value


def _line(error: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, (*known_keys(), *Settings.model_fields), n=1, cutoff=0.0)
        return f"{key}: Expected a known setting, got {key!r}; the nearest is {near[0]!r}."
    message = str(error["msg"]).removeprefix("Value error, ")
    if message.startswith("Expected"):
        return f"{key}: {message}"
    message = message.removeprefix("Input should be ")
    # the input of a section or of a password is never repeated: it may hold a secret
    got = "something else" if "password" in key or isinstance(error["input"], dict) else repr(error["input"])
    return f"{key}: Expected {message[:1].lower()}{message[1:]}, got {got}."


def _paths(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from ((name, *rest) for rest in _paths(field.annotation))
        else:
            yield (name,)
