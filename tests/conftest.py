"""What tests of several rooms share."""

import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from lotstream.deploy.embedded.kafka import EmbeddedKafka

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"

# a machine that is busy with another run is no fault of the example; a change is judged by the same examples as the
# one before it, and everybody else's runs look for new ones
settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """The runs of `python -m tests` are told apart by this marker."""
    config.addinivalue_line("markers", "alone: a clock judges what happens here, no other run may stand beside it")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public vectors beside the project; tests that need it are skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here: the public vectors stay outside the project")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Commands that are started get a Ctrl-C also where the tests run in the background, where a shell ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """A broker for the whole run; every test takes topics and groups of its own. Gives host:port."""
    with EmbeddedKafka() as broker:
        yield broker.bootstrap


class Receiver(ThreadingHTTPServer):
    """Takes posts on this machine: answers with the statuses that it was given, then with 204, and keeps all of it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Posts)
        self.statuses: list[int] = []
        self.posts: list[tuple[int, dict[str, str], bytes]] = []  # status, headers, body

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/posts"


class _Posts(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        receiver = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        status = receiver.statuses.pop(0) if receiver.statuses else 204
        receiver.posts.append((status, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
