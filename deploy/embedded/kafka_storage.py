"""The broker's data directory: formatted once, of one version, of one user."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotstream.deploy.embedded.kafka_config import MECHANISM, NODE_ID, properties_text
from lotstream.deploy.embedded.rundir import write_json

KAFKA_VERSION = "4.3.1"
MARKER = "kafka-version.json"
CHECKPOINT = "bootstrap.checkpoint"
FRESH = frozenset({"meta.properties", CHECKPOINT})
"""What formatting leaves in a log directory: with nothing else in it, no broker has run on it."""
ITERATIONS = 8192


class WrongDataDirectory(Exception):
    """A data directory that this broker must not touch: another version's, another user's, or something else."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The files of one broker under its data directory."""

    directory: Path

    @property
    def log_dir(self) -> Path:
        return self.directory / "topics"

    @property
    def log_file(self) -> Path:
        return self.directory / "kafka.log"

    @property
    def temp_dir(self) -> Path:
        return self.directory / "tmp"

    @property
    def class_scratch(self) -> Path:
        return self.temp_dir / "classes.jsa"

    @property
    def tls_dir(self) -> Path:
        return self.directory / "tls"

    @property
    def properties_file(self) -> Path:
        return self.directory / "server.properties"

    @property
    def arguments_file(self) -> Path:
        return self.directory / "java.args"

    @property
    def marker(self) -> Path:
        return self.directory / MARKER


def is_formatted(storage: Storage, *, sasl: tuple[str, str] | None) -> bool:
    """Whether the directory holds a broker of this version and user; False when it is to be formatted.

    Raises WrongDataDirectory when it holds anything else.
    """
    if not storage.marker.exists():
        _check_fresh(storage)
        return False
    facts = json.loads(storage.marker.read_text(encoding="utf-8"))
    if facts.get("kafka") != KAFKA_VERSION:
        raise WrongDataDirectory(
            f"Expected a data directory of Kafka {KAFKA_VERSION}, got one of {facts.get('kafka')!r} in "
            f"{storage.directory}. Use another directory, or remove this one with all that is in it."
        )
    _check_user(storage, facts=facts, sasl=sasl)
    return True


def _check_fresh(storage: Storage) -> None:
    if not storage.log_dir.exists():
        return
    found = sorted(path.name for path in storage.log_dir.iterdir() if path.name not in FRESH)
    if found:
        raise WrongDataDirectory(
            f"Expected an empty data directory or one with {MARKER}, got {found[0]!r} in {storage.log_dir}."
        )


def _check_user(storage: Storage, *, facts: dict[str, str], sasl: tuple[str, str] | None) -> None:
    user = facts.get("user")
    wanted = sasl[0] if sasl else None
    if user != wanted:
        raise WrongDataDirectory(
            f"Expected a data directory of user {wanted!r}, got one of {user!r} in {storage.directory}."
        )
    if sasl and not hmac.compare_digest(facts["check"], _check(sasl[1], salt=base64.b64decode(facts["salt"]))):
        raise WrongDataDirectory(
            f"Expected the password that {storage.directory} was made with, got another one for {user!r}."
        )


def format_storage(
    storage: Storage, *, sasl: tuple[str, str] | None, run: Callable[[Sequence[str]], None], cache: Path
) -> None:
    """Format the log directory with Kafka's own tool, then say so in the marker, in this order.

    `run` is given the tool's main class and arguments. What a formatting that was interrupted has left is removed.
    Without a user the tool's checkpoint has the features of its version in it and nothing of this directory: the
    first one is kept in `cache`, and saves a later formatting the start of a virtual machine.
    """
    if storage.log_dir.exists():
        shutil.rmtree(storage.log_dir)
    storage.log_dir.mkdir(parents=True)
    cluster = _unique()
    tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(storage.properties_file)]
    facts = {"kafka": KAFKA_VERSION, "cluster": cluster}
    kept, made = cache / f"{KAFKA_VERSION}-{CHECKPOINT}", storage.log_dir / CHECKPOINT
    if sasl:
        salt = secrets.token_bytes(16)
        tool += ["--add-scram", scram_record(*sasl, salt=salt)]
        facts |= {"user": sasl[0], "salt": base64.b64encode(salt).decode(), "check": _check(sasl[1], salt=salt)}
        run(tool)
    elif kept.exists():
        shutil.copy(kept, made)
        meta = {"version": "1", "cluster.id": cluster, "node.id": str(NODE_ID), "directory.id": _unique()}
        (storage.log_dir / "meta.properties").write_text(properties_text(meta), encoding="ascii")
    else:
        run(tool)
        _keep(made, kept)
    write_json(storage.marker, facts)


def _unique() -> str:
    """An identifier as Kafka writes them: 128 random bits."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _keep(made: Path, kept: Path) -> None:
    """Best effort: a cache that cannot be written costs time, nothing else."""
    scratch = kept.with_name(f".{kept.name}-{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made, scratch)
        scratch.replace(kept)
    except OSError:
        scratch.unlink(missing_ok=True)


def scram_record(user: str, password: str, *, salt: bytes) -> str:
    """The tool's argument for one user, with the salted password of RFC 5802 in place of the password."""
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    fields = f'name="{user}",iterations={ITERATIONS},salt="{_base64(salt)}",saltedpassword="{_base64(salted)}"'
    return f"{MECHANISM}=[{fields}]"


def _check(password: str, *, salt: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), b"check" + salt, 100_000).hex()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
