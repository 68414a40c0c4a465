"""Answers: always JSON, always with the request's id."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from lotstream.readers.formats.items import Refused
from lotstream.runtime.errors import Rejected

SHOWN_REFUSALS = 20
_EXPECTED = re.compile(r"Expected (.*), got (.*)\.", re.DOTALL)


def answer(content: Mapping[str, Any], *, request: str, status: int = 200, **headers: str) -> Response:
    """A JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        orjson.dumps({**content, "request": request}),
        status_code=status,
        media_type="application/json",
        headers={"X-Request-Id": request, **named},
    )


def refusal(status: int, error: str, *, detail: str, request: str, **headers: str) -> Response:
    """An error of the request as a whole."""
    return answer({"error": error, "detail": detail}, request=request, status=status, **headers)


def rejection(rejected: Rejected, *, request: str, status: int = 400) -> Response:
    """A program's mistake: which field, what was expected there, what was got."""
    found = _EXPECTED.fullmatch(rejected.detail)
    return answer(
        {
            "error": rejected.reason.value,
            "field": rejected.field or "",
            "expected": found[1] if found else "",
            "got": found[2] if found else "",
            "detail": rejected.detail,
        },
        request=request,
        status=status,
    )


def shown(refused: list[Refused]) -> list[dict[str, Any]]:
    """The first refusals, for the answer."""
    return [
        {"index": one.index, "reason": one.reason.value, "detail": one.detail, "field": one.field}
        for one in refused[:SHOWN_REFUSALS]
    ]
