"""Writes docs/settings.md: `python -m lotstream.runtime.settings_page [--check]`."""

import sys
import types
from collections.abc import Iterator
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from lotstream.runtime.pages import ROOT, keep, table
from lotstream.runtime.settings import CONFIG, PREFIX, Settings

_HEAD = f"""# Settings

Generated from `runtime/sections.py` by `python -m lotstream.runtime.settings_page`; not edited by hand.

Settings come from one TOML file and from the environment; the environment wins. The file is the one given on
the command line, else the one that `{CONFIG}` names, else `lotstream.toml` of the working directory. A key that
nobody knows is an error that names the nearest one. Secrets are best given as files.

```toml
[kafka]
bootstrap = "broker-1:9093,broker-2:9093"
security_protocol = "SASL_SSL"
username = "lotstream"
password_file = "/run/secrets/kafka"
```

is the same as `{PREFIX}KAFKA__BOOTSTRAP=broker-1:9093,broker-2:9093` and so on: the section and the key in capitals,
two underscores between them.
"""


def page() -> str:
    """The page as Markdown."""
    sections = {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    parts = [_HEAD, "\n## Top level\n\n", _rows(Settings, section=None)]
    for name, model in sections.items():
        parts += [f"\n## [{name}]\n\n{(model.__doc__ or '').strip()}\n\n", _rows(model, section=name)]
    return "".join(parts)


def _rows(model: type[BaseModel], *, section: str | None) -> str:
    rows = [
        (
            f"`{name}`",
            f"`{PREFIX}{f'{section}__' if section else ''}{name}`".upper(),
            _kind(field),
            _default(field),
            field.description or "",
        )
        for name, field in model.model_fields.items()
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
    ]
    return table(("key", "variable", "values", "default", "meaning"), rows)


def _kind(field: FieldInfo) -> str:
    annotation, limits = _optional(field.annotation), list(_limits(field.metadata))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(f"`{word.value}`" for word in annotation)
    words = {bool: "true or false", int: "whole number", float: "number", Path: "path", SecretStr: "secret"}
    return ", ".join([words.get(annotation, "text"), *limits])


def _optional(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(inner for inner in get_args(annotation) if inner is not type(None))
    return annotation


def _limits(metadata: list[Any]) -> Iterator[str]:
    signs: tuple[tuple[type, Literal["ge", "gt", "le", "lt"], str], ...] = (
        (Ge, "ge", "at least"),
        (Gt, "gt", "above"),
        (Le, "le", "at most"),
        (Lt, "lt", "below"),
    )
    for limit in metadata:
        yield from (f"{word} {getattr(limit, name)}" for kind, name, word in signs if isinstance(limit, kind))


def _default(field: FieldInfo) -> str:
    default = field.get_default()
    if default is None:
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    text = default.value if isinstance(default, Enum) else str(default)
    return f"`{text}`" if text else "empty"


if __name__ == "__main__":
    sys.exit(keep(ROOT / "docs" / "settings.md", page(), module="lotstream.runtime.settings_page"))
