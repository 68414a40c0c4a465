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
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lotstream.deploy.embedded.clickhouse_engine import Engine
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code, refuse
from lotstream.deploy.embedded.clickhouse_http import Answer, Front, Limits, Request
from lotstream.deploy.embedded.clickhouse_users import Role, User, Users

LOOPBACK = "127.0.0.1"
IDLE_S = 30.0
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

    def _serve(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(self.command, url.path, params, headers)
        front = self.server.front
        with self.server.working():
            try:
                request.body = self._read_body(headers)
            except ClickHouseError as error:
                self.close_connection = True
                answer = front.failure(error)
            else:
                answer = front.answer(request)
            self._send(answer)

    def _read_body(self, headers: Mapping[str, str]) -> bytes:
        limit = self.server.front.limits.body_bytes
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks(limit)
        text = headers.get("content-length", "0" if self.command != "POST" else "")
        if not text.isdecimal():
            raise refuse(
                Code.HTTP_LENGTH_REQUIRED, "The Transfer-Encoding is not chunked and there is no Content-Length."
            )
        if int(text) > limit:
            raise refuse(Code.QUERY_IS_TOO_LARGE, f"Expected a body of at most {limit} bytes, got {text}.")
        return self.rfile.read(int(text))

    def _read_chunks(self, limit: int) -> bytes:
        chunks = bytearray()
        while True:
            size = int(self.rfile.readline(100).split(b";")[0], 16)
            if not size:
                break
            chunks += self.rfile.read(size)
            self.rfile.readline(3)
            if len(chunks) > limit:
                raise refuse(Code.QUERY_IS_TOO_LARGE, f"Expected a body of at most {limit} bytes, got more.")
        while self.rfile.readline(1000) not in (b"\r\n", b"\n", b""):
            pass
        return bytes(chunks)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        if not self.close_connection:
            self.send_header("Keep-Alive", f"timeout={IDLE_S:.0f}")
        if answer.whole is not None:
            self.send_header("Content-Length", str(len(answer.whole)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.whole)
            self.wfile.flush()
        elif answer.pieces is not None:
            self._send_pieces(answer)

    def _send_pieces(self, answer: Answer) -> None:
        assert answer.pieces is not None
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in answer.pieces:
                if piece:
                    self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except ClickHouseError as error:
            self.close_connection = True
            self.wfile.write(b"%x\r\n" % (len(error.text.encode()) + 1) + error.text.encode() + b"\n\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        sys.stderr.write(f"{self.address_string()} {format % args}\n")


class Server(ThreadingHTTPServer):
    """The listening socket and the count of requests under way."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], front: Front) -> None:
        super().__init__(address, _Handler)
        self.front = front
        self._busy = 0
        self._idle = threading.Condition()

    def working(self) -> "_Working":
        return _Working(self)

    def begin(self) -> None:
        with self._idle:
            self._busy += 1

    def end(self) -> None:
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Wait until no request is under way."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, timeout_s)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError, socket.timeout)):
            super().handle_error(request, client_address)


class _Working:
    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server.begin()

    def __exit__(self, *_: object) -> None:
        self._server.end()


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
    options = parser.parse_args(arguments)
    users = _read_users(options.users_fd)
    engine = Engine(options.data)
    server = Server((LOOPBACK, options.port), Front(engine, users, Limits()))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    server.drain(DRAIN_S)
    server.front.sessions.close()
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
