"""Alerts out of the house: each change of an alert is posted to one address, signed, until it is taken.

The headers are those of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks): `webhook-id`, by
which a receiver knows what it has already; `webhook-timestamp`; `webhook-signature`, an HMAC-SHA256 over both and the
body. The loop of the sinks keeps the order, waits out outages and commits; this is its store.
"""

import base64
import hashlib
import hmac
import ssl
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import httpx

from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.settings import SettingsInvalid, WebhookSettings
from lotstream.schemas.alerts import ALERT
from lotstream.schemas.base import decode
from lotstream.schemas.topics import ALERTS
from lotstream.sinks.rows import Message, Rows, Sink

POSTS = "webhook"  # instead of a table
AT_ONCE_S = 5.0  # then the loop has its turn: it keeps the membership of its group alive
REMEMBERED = 10_000
# of the body; what any other code complains of can be mended at the receiver
_REFUSALS = frozenset({400, 413, 415, 422})


def post_rows(message: Message) -> Rows:
    """alerts.v1 -> posts. Raises Rejected."""
    alert = decode(ALERT, message.value)
    lot = hashlib.sha256(alert.lot.encode()).hexdigest()[:8]  # one key may have several lots
    return {POSTS: [(f"{alert.key}.{lot}.{alert.version}", message.value, message.partition, message.offset)]}


WEBHOOK = Sink("webhook", ALERTS, post_rows)


def signature(secret: bytes, *, name: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256, in base64, of 'id.timestamp.body'."""
    digest = hmac.new(secret, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


class WebhookStore:
    """Posts, in order. What was taken of a batch is not posted again while the rest of it is tried again."""

    def __init__(self, settings: WebhookSettings, *, clock: Clock) -> None:
        if settings.url is None:
            raise SettingsInvalid("Expected webhook.url to post alerts to, got none.")
        self._url = settings.url
        self._secret = settings.secret()
        self._retries = settings.retries
        self._clock = clock
        verify = ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else True
        self._client = httpx.Client(timeout=settings.timeout_s, verify=verify)
        self._fates: OrderedDict[tuple[int, int], Rejected | None] = OrderedDict()  # None: taken
        self._failed: dict[tuple[int, int], int] = {}

    def insert(self, table: str, columns: Sequence[Sequence[Any]], *, names: Sequence[str]) -> None:
        """Post each row; raises Transient at the first that is not taken, Rejected at one that is refused."""
        if table != POSTS:
            return  # the vector of offsets is that of the history
        until = time.monotonic() + AT_ONCE_S
        for name, body, partition, offset in zip(*columns, strict=True):
            place = partition, offset
            if place not in self._fates:
                if time.monotonic() > until:
                    raise Transient("Expected all alerts to be taken at once, got some.", retry_after_s=0.0)
                self._fates[place] = self._fate(place, name, body)
                if len(self._fates) > REMEMBERED:
                    self._fates.popitem(last=False)
            if (refused := self._fates[place]) is not None:
                raise refused

    def _fate(self, place: tuple[int, int], name: str, body: bytes) -> Rejected | None:
        try:
            code = self._post(name, body)
        except httpx.HTTPError as error:
            said = f"{type(error).__name__}: {error}"
        else:
            if 200 <= code < 300:
                self._failed.pop(place, None)
                return None
            said = f"status {code}"
            if code in _REFUSALS:
                return Rejected(Reason.ROW_REFUSED, f"Expected the receiver to take {name}, got {said}.")
        failed = self._failed[place] = self._failed.get(place, 0) + 1
        if failed > self._retries:
            del self._failed[place]
            return Rejected(Reason.ROW_REFUSED, f"Expected {name} taken in {failed} attempts, got {said}.")
        raise Transient(f"Expected the receiver of alerts to answer 2xx, got {said}.", retry_after_s=0.0)

    def _post(self, name: str, body: bytes) -> int:
        timestamp = self._clock.now_us() // 1_000_000
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._secret, name=name, timestamp=timestamp, body=body),
        }
        # what it says beside its status is not read: it may be without end
        with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            return response.status_code
