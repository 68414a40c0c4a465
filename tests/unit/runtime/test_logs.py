"""Structured logs."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from lotstream.runtime.logs import setup_logging
from lotstream.runtime.settings import LogFormat, LogLevel, LogSettings


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The logging of the test run itself is put back."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.disable(disabled)
    logging.captureWarnings(False)


def test_json_line_has_event_and_fields() -> None:
    """A record is one JSON object with instant, level, logger, service, event and its fields."""
    stream = io.StringIO()
    setup_logging(LogSettings(), service="gateway", stream=stream)
    logging.getLogger("a.b").info("batch_published", extra={"reads": 500, "door": "dock-1", "event": "x"})
    line = json.loads(stream.getvalue())
    assert line["ts"].endswith("Z") and len(line["ts"]) == 24
    assert (line["level"], line["logger"], line["service"]) == ("INFO", "a.b", "gateway")
    assert (line["event"], line["reads"], line["door"]) == ("batch_published", 500, "dock-1")


def test_exception_stays_on_one_line() -> None:
    """A traceback does not break the line format."""
    stream = io.StringIO()
    setup_logging(LogSettings(), service="x", stream=stream)
    try:
        raise ValueError("bad\nvalue")
    except ValueError:
        logging.getLogger().exception("failed")
    assert stream.getvalue().count("\n") == 1
    assert "ValueError: bad" in json.loads(stream.getvalue())["error"]


@pytest.mark.parametrize("form", list(LogFormat))
def test_no_secret_is_written(form: LogFormat) -> None:
    """Fields named like a secret are masked at any depth; paths of secret files are not."""
    stream = io.StringIO()
    setup_logging(LogSettings(format=form), service="x", stream=stream)
    fields = {"settings": {"kafka": {"password": "hunter2", "password_file": "/p"}}, "api_token": "hunter2"}
    logging.getLogger().info("started", extra=fields)
    assert "hunter2" not in stream.getvalue()
    assert "/p" in stream.getvalue()


def test_text_is_readable() -> None:
    """A person sees time, level, service, event and fields."""
    stream = io.StringIO()
    setup_logging(LogSettings(format=LogFormat.TEXT), service="sink", stream=stream)
    logging.getLogger().warning("paused", extra={"rows": 3})
    assert stream.getvalue().endswith(" WARNING sink paused rows=3\n")


def test_libraries_do_not_build_debug_records() -> None:
    """Faust and aiokafka are told that nobody listens, even when our own debug is on."""
    setup_logging(LogSettings(), service="x", stream=io.StringIO())
    assert not logging.getLogger("faust.tables").isEnabledFor(logging.DEBUG)
    setup_logging(LogSettings(level=LogLevel.DEBUG), service="x", stream=io.StringIO())
    assert logging.getLogger("lotstream.x").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("aiokafka.consumer").isEnabledFor(logging.DEBUG)
