"""/healthz, /readyz and /metrics on the gateway's own port."""

import hmac
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lotstream.runtime.health import Health
from lotstream.runtime.metrics import CONTENT_TYPE, Metrics
from lotstream.runtime.sections import read_secret
from lotstream.runtime.settings import MetricsSettings


def health_routes(settings: MetricsSettings, *, health: Health, metrics: Metrics) -> list[Route]:
    """The routes; a token of [metrics] guards the figures and the details. Raises SettingsInvalid."""
    token = read_secret(None, settings.token_file)
    expected = None if token is None else f"Bearer {token}".encode()

    def known(request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return expected is None or hmac.compare_digest(given, expected)

    async def healthz(request: Request) -> Response:
        return _state(
            health.alive, {"alive": health.alive, "beat_age_s": round(health.beat_age_s, 3)}, known=known(request)
        )

    async def readyz(request: Request) -> Response:
        checks = {name: {"ok": check.ok, "detail": check.detail} for name, check in health.checks().items()}
        return _state(
            health.ready, {"ready": health.ready, "alive": health.alive, "checks": checks}, known=known(request)
        )

    async def exposition(request: Request) -> Response:
        if not known(request):
            body = b'{"error":"unauthorized","detail":"Expected a bearer token, got none or another."}'
            return Response(body, 401, {"WWW-Authenticate": "Bearer"}, "application/json")
        metrics.gauge("lotstream_ready_state").set(health.ready)
        metrics.gauge("lotstream_beat_age_seconds").set(health.beat_age_s)
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]


def _state(ok: bool, details: dict[str, Any], *, known: bool) -> Response:
    return Response(orjson.dumps(details if known else {}), 200 if ok else 503, media_type="application/json")
