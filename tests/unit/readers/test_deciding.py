"""Decisions on their way from a command to the gateway."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lotstream.readers.deciding import Door
from lotstream.runtime.errors import Rejected, Transient
from lotstream.schemas.decisions import ClaimContent

CLAIM = ClaimContent(claim="c", gtin="09521234543213", code="A", by="ann")
Answer = tuple[int, dict[str, Any]]


class Gateway:
    """Answers as it is told, one after the other, and keeps what it was asked."""

    def __init__(self, answers: list[Answer]) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        gateway, left = self, iter(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                gateway.asked.append((self.path, self.headers.get("Authorization", ""), body))
                status, said = next(left)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def gateway() -> Iterator[Callable[..., Gateway]]:
    made: list[Gateway] = []

    def build(*answers: Answer) -> Gateway:
        made.append(Gateway(list(answers)))
        return made[-1]

    yield build
    for one in made:
        one.server.shutdown()
        one.server.server_close()


def test_an_outage_is_waited_for(gateway: Callable[..., Gateway]) -> None:
    """A gateway that cannot take it now is asked again with the same bytes, as the source of the token."""
    found = gateway((503, {}), (201, {"accepted": 1}))
    Door(url=found.url, token="secret").send([CLAIM])
    assert found.asked == [("/decisions", "Bearer secret", [json.loads(CLAIM.encode())])] * 2


def test_a_refusal_says_what_is_wrong(gateway: Callable[..., Gateway]) -> None:
    """The words of the gateway, with their field."""
    found = gateway((400, {"detail": "Expected {seq:0N} once, got none.", "field": "template"}))
    with pytest.raises(Rejected) as refused:
        Door(url=found.url).send([CLAIM])
    assert (refused.value.field, refused.value.detail) == ("template", "Expected {seq:0N} once, got none.")


def test_no_gateway_is_an_outage(gateway: Callable[..., Gateway]) -> None:
    """Nobody there within the time: the address is named, and what to do."""
    with pytest.raises(Transient, match=r"Expected the gateway at http\S+:9 to answer"):
        Door(url="http://127.0.0.1:9").send([CLAIM], within_s=0.1)
