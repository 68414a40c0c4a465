"""What every command shares: the effective settings, printing for people and programs, and exit codes."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click
from pydantic import BaseModel
from rich.console import Console

from lotstream.deploy.embedded.rundir import published
from lotstream.runtime.settings import Settings, load_settings

STACK = "stack"


def effective_settings(config: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings of file and environment; where neither names a broker, a local stack that is up gives its own."""
    own = dict(os.environ if env is None else env)
    given = load_settings(config, own)
    stack = published(given.run_dir, STACK)
    if stack is None or "kafka" in given.model_fields_set:
        return given
    return load_settings(config, {**_texts(stack.get("env")), **own})


def _texts(env: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in env.items()} if isinstance(env, dict) else {}


def console() -> Console:
    """Standard output for people; colours only at a terminal."""
    return Console(highlight=False)


def print_json(answer: BaseModel | dict[str, object] | list[object]) -> None:
    """Standard output for programs: one JSON document."""
    text = answer.model_dump_json(indent=2) if isinstance(answer, BaseModel) else json.dumps(answer, indent=2)
    sys.stdout.write(text + "\n")


json_option = click.option("--json", "as_json", is_flag=True, help="For programs: JSON with a published schema.")


def settings_of(context: click.Context) -> Settings:
    """The effective settings, loaded when a command first needs them."""
    return effective_settings(context.find_root().params.get("config"))
