"""The process that owns chDB: a loopback HTTP server, one thread a connection.

`python -m lotstream.deploy.embedded.clickhouse_server --data DIR --port N --users-fd N`
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from lotstream.deploy.embedded.clickhouse_answer import Answer, Broken
from lotstream.deploy.embedded.clickhouse_body import ChunkedBody, SizedBody, WireBody, drain
from lotstream.deploy.embedded.clickhouse_engine import Engine
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code, refuse
from lotstream.deploy.embedded.clickhouse_http import Front, Limits, Request
from lotstream.deploy.embedded.clickhouse_sandbox import enter_sandbox
from lotstream.deploy.embedded.clickhouse_users import Role, User, Users

LOOPBACK = "127.0.0.1"
IDLE_S = 120.0
"""How long a connection may be silent, between requests or within one."""
MAX_FIELDS = 1000
BACKLOG = 128
MAX_CONNECTIONS = 500
LOOK_EVERY_S = 0.1
DRAIN_S = 10.0


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20
    disable_nagle_algorithm = True
    timeout = IDLE_S
    server: "Server"

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _serve(self) -> None:
        with self.server.working() as welcome:
            try:
                if not welcome:
                    raise refuse(Code.SHUTTING_DOWN, "The server is stopping.")
                request = self._request()
            except ClickHouseError as error:
                self.close_connection = True
                self._send(self.server.front.failure(error))
                return
            answer = self.server.front.answer(request)
            if not request.body.finished and not drain(request.body):
                self.close_connection = True
            self._send(answer)

    def _request(self) -> Request:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            fields = parse_qsl(url.query, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
        except ValueError as error:
            raise refuse(Code.BAD_ARGUMENTS, f"Expected parameters in UTF-8, got: {error}.") from None
        return Request(self.command, url.path, dict(fields), headers, self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> WireBody:
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if coding is not None:
            if length is not None or coding.strip().lower() != "chunked":
                raise refuse(Code.BAD_ARGUMENTS, f"Expected a length or chunks, got Transfer-Encoding {coding!r}.")
            return ChunkedBody(self.rfile)
        if length is None and self.command == "POST":
            message = "The Transfer-Encoding is not chunked and there is no Content-Length header for POST request."
            raise refuse(Code.HTTP_LENGTH_REQUIRED, message)
        if length is not None and not (length.isascii() and length.isdecimal()):
            raise refuse(Code.BAD_ARGUMENTS, f"Expected a Content-Length, got {length!r}.")
        return SizedBody(self.rfile, int(length or 0))

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.pieces is not None and self.request_version == "HTTP/1.0":
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        else:
            self.send_header("Connection", "Keep-Alive")
            self.send_header("Keep-Alive", f"timeout={IDLE_S:.0f}")
        if answer.pieces is None:
            self.send_header("Content-Length", str(len(answer.whole)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.whole)
        else:
            self._send_pieces(answer.pieces)
        self.wfile.flush()

    def _send_pieces(self, pieces: Iterator[bytes]) -> None:
        chunked = self.request_version != "HTTP/1.0"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in pieces:
                if piece and self.command != "HEAD":
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            if chunked and self.command != "HEAD":
                self.wfile.write(b"0\r\n\r\n")
        except Broken:
            # No last chunk: a client that knows nothing of the marked block still sees that the answer is cut.
            self.close_connection = True
        finally:
            cast(Generator[bytes], pieces).close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        sys.stderr.write(f"{self.log_date_time_string()} {format % args}\n")


class Server(ThreadingHTTPServer):
    """The listening socket and the count of requests under way."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, front: Front) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.front = front
        self._busy = 0
        self._stopping = False
        self._idle = threading.Condition()

    @contextmanager
    def working(self) -> Iterator[bool]:
        """A request under way; whether it is still welcome."""
        with self._idle:
            self._busy += 1
            welcome = not self._stopping
        try:
            yield welcome
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Take no more requests and wait until none is under way; whether that was so in time."""
        with self._idle:
            self._stopping = True
            return self._idle.wait_for(lambda: not self._busy, timeout_s)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether a connection is taken: beyond the limit it is closed at once."""
        return threading.active_count() <= MAX_CONNECTIONS

    def service_actions(self) -> None:
        self.front.sessions.expire()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError, socket.timeout)):
            super().handle_error(request, client_address)


def _read_users(descriptor: int) -> Users:
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        return Users(User(name, password, Role(role)) for name, password, role in json.load(file))


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT, then finish what is under way and close the engine."""
    parser = argparse.ArgumentParser(prog="clickhouse_server")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--users-fd", type=int, required=True)
    parser.add_argument("--max-queries", type=int, default=Limits.queries)
    parser.add_argument("--max-body-bytes", type=int, default=Limits.body_bytes)
    options = parser.parse_args(arguments)
    users = _read_users(options.users_fd)
    try:
        listener = socket.create_server((LOOPBACK, options.port), backlog=BACKLOG)
    except OSError as error:
        sys.stderr.write(f"Expected port {options.port} to be free, got: {error}.\n")
        return error.errno or 1
    if not enter_sandbox(options.data):
        sys.stderr.write("This kernel has no Landlock: files are guarded by the engine's access rights alone.\n")
    engine = Engine(options.data)
    limits = Limits(options.max_body_bytes, options.max_queries)
    server = Server(listener, Front(engine, users=users, limits=limits))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=LOOK_EVERY_S)
    server.server_close()
    if not server.drain(DRAIN_S):
        # A query that will not end holds the engine open; what was acknowledged is on disk.
        sys.stderr.write(f"Expected the queries under way to end in {DRAIN_S:.0f} s, got some that did not.\n")
        sys.stderr.flush()
        os._exit(1)
    server.front.sessions.close()
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
