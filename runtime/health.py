"""Health of a process and the small HTTP server that tells it: /healthz, /readyz and /metrics.

/healthz: the process is alive, its main loop has beaten lately. /readyz: every check passes.
"""

import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lotstream.runtime.metrics import CONTENT_TYPE, Metrics
from lotstream.runtime.sections import MetricsSettings, read_secret

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one condition of readiness holds, and what to say about it."""

    ok: bool
    detail: str


class Health:
    """Beat and named checks of one process. Safe for threads; a check that was never set fails."""

    def __init__(
        self, *checks: str, stale_after_s: float = 30.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._checks = {name: Check(ok=False, detail="Not yet.") for name in checks}
        self._stale_after_s = stale_after_s
        self._monotonic = monotonic
        self._beaten = monotonic()
        self._lock = threading.Lock()

    def beat(self) -> None:
        """To be called by the main loop of the process, several times within `stale_after_s`."""
        self._beaten = self._monotonic()

    def set(self, name: str, ok: bool, detail: str = "") -> None:
        with self._lock:
            self._checks[name] = Check(ok=ok, detail=detail)

    @property
    def beat_age_s(self) -> float:
        return max(0.0, self._monotonic() - self._beaten)

    @property
    def alive(self) -> bool:
        return self.beat_age_s <= self._stale_after_s

    @property
    def ready(self) -> bool:
        return self.alive and all(check.ok for check in self.checks().values())

    def checks(self) -> dict[str, Check]:
        with self._lock:
            return dict(self._checks)


class HealthServer:
    """Serves `health` and `metrics` on threads that end with the process. Raises `OSError` when the port is taken."""

    def __init__(self, settings: MetricsSettings, *, health: Health, metrics: Metrics) -> None:
        token = read_secret(None, settings.token_file)
        self._health = health
        self._metrics = metrics
        self._server = _Server((settings.host, settings.port), _handler(self._answer, token))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="health", daemon=True
        )

    @property
    def port(self) -> int:
        """The port in use, also when 0 was asked for."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        host = str(self._server.server_address[0])
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, path: str, known: bool) -> "_Answer":
        if path == "/healthz":
            body: dict[str, Any] = {"alive": self._health.alive, "beat_age_s": round(self._health.beat_age_s, 3)}
            return _Answer.of(self._health.alive, body if known else {})
        if path == "/readyz":
            checks = {name: {"ok": check.ok, "detail": check.detail} for name, check in self._health.checks().items()}
            ready = self._health.ready
            body = {"ready": ready, "alive": self._health.alive, "checks": checks}
            return _Answer.of(ready, body if known else {})
        if path == "/metrics":
            if not known:
                return _Answer(401, _JSON, b'{"error":"Expected a bearer token, got none or another."}')
            self._metrics.gauge("lotstream_ready_state").set(self._health.ready)
            self._metrics.gauge("lotstream_beat_age_seconds").set(self._health.beat_age_s)
            return _Answer(200, CONTENT_TYPE, self._metrics.exposition())
        return _Answer(404, _JSON, b'{"error":"Expected /healthz, /readyz or /metrics."}')


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content_type: str
    body: bytes

    @classmethod
    def of(cls, ok: bool, body: dict[str, Any]) -> "_Answer":
        return cls(200 if ok else 503, _JSON, json.dumps(body).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # a port still held by another process must be an error, not a second listener
    allow_reuse_port = False


def _handler(answer: Callable[[str, bool], _Answer], token: str | None) -> type[BaseHTTPRequestHandler]:
    expected = None if token is None else f"Bearer {token}".encode()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0

        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "").encode()
            known = expected is None or hmac.compare_digest(given, expected)
            found = answer(self.path.partition("?")[0], known)
            self.send_response(found.status)
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(found.body)))
            if found.status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
            """Scrapes are not worth a line each."""

    return Handler
