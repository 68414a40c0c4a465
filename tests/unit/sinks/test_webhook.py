"""Posts of alerts, to a receiver on this machine that answers as it is told."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.settings import SettingsInvalid, WebhookSettings
from lotstream.sinks.rows import columns_of
from lotstream.sinks.webhook import WebhookStore, signature

NOW_US = 1_800_000_000_000_000
SECRET = b"of the house"


class Standing:
    """A clock that stands."""

    def now_us(self) -> int:
        return NOW_US


def names(receiver: Any) -> list[str]:
    """What was posted, in its order."""
    return [headers["webhook-id"] for _, headers, _ in receiver.posts]


@pytest.fixture
def store_of(tmp_path: Path) -> Callable[..., WebhookStore]:
    def build(url: str, **more: Any) -> WebhookStore:
        (tmp_path / "secret").write_bytes(SECRET + b"\n")
        settings = WebhookSettings(url=url, secret_file=tmp_path / "secret", **more)
        return WebhookStore(settings, clock=Standing())

    return build


def insert(store: WebhookStore, *posts: str) -> None:
    rows: list[Sequence[Any]] = [(name, f"body of {name}".encode(), 0, offset) for offset, name in enumerate(posts)]
    store.insert("webhook", columns_of(rows), names=())


def test_a_post_is_signed(receiver: Any, store_of: Callable[..., WebhookStore]) -> None:
    """Whoever has the key can tell that id, time and body are ours."""
    insert(store_of(receiver.url), "k.1")
    ((_, headers, body),) = receiver.posts
    assert (headers["webhook-id"], headers["webhook-timestamp"], body) == ("k.1", "1800000000", b"body of k.1")
    assert headers["webhook-signature"] == signature(SECRET, name="k.1", timestamp=1_800_000_000, body=body)
    assert headers["content-type"] == "application/json"


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """'id.timestamp.body' by HMAC-SHA256 in base64; the expected value was made with openssl."""
    key = bytes.fromhex("3129b3a5ee2d8e6d9e1a6f2fd9a6d7b4")
    told = signature(key, name="msg_1", timestamp=1_614_265_330, body=b'{"test": 2432232314}')
    assert told == "v1,WqcAy5ziMlwnkTNAT2SR/w8li9wkzt2zfxge5WlUP1Y="


def test_what_is_not_taken_is_tried_again_and_what_was_is_not(
    receiver: Any, store_of: Callable[..., WebhookStore]
) -> None:
    """After an error of the receiver the rest of the batch follows in its order."""
    receiver.statuses = [200, 500, 404, 302]
    store = store_of(receiver.url)
    for _ in range(3):
        with pytest.raises(Transient, match="answer 2xx, got status"):
            insert(store, "a.1", "a.2", "b.1")
    insert(store, "a.1", "a.2", "b.1")
    assert names(receiver) == ["a.1", "a.2", "a.2", "a.2", "a.2", "b.1"]


def test_a_receiver_that_is_away_is_an_outage(store_of: Callable[..., WebhookStore]) -> None:
    """Nothing listens there: to be tried again."""
    with pytest.raises(Transient, match="ConnectError"):
        insert(store_of("http://127.0.0.1:1/"), "a.1")


def test_attempts_end(receiver: Any, store_of: Callable[..., WebhookStore]) -> None:
    """After so many of them the alert is refused, with the last answer; it is not posted again by its batch."""
    receiver.statuses = [503] * 3
    store = store_of(receiver.url, retries=2)
    for _ in range(2):
        with pytest.raises(Transient):
            insert(store, "a.1")
    for _ in range(2):
        with pytest.raises(Rejected, match=r"a\.1 taken in 3 attempts, got status 503") as refused:
            insert(store, "a.1")
    assert (refused.value.reason, len(receiver.posts)) == (Reason.ROW_REFUSED, 3)


def test_a_body_that_is_refused_is_not_tried_again(receiver: Any, store_of: Callable[..., WebhookStore]) -> None:
    """422 is about this alert alone: another one would have the same answer."""
    receiver.statuses = [422]
    with pytest.raises(Rejected, match=r"take a\.1, got status 422"):
        insert(store_of(receiver.url), "a.1")


def test_the_vector_of_offsets_is_not_its_own(receiver: Any, store_of: Callable[..., WebhookStore]) -> None:
    """What was passed is written for the history by its own sinks."""
    store_of(receiver.url).insert("sink_offsets", [["alerts.v1"], [0], [0], [1]], names=("topic",))
    assert receiver.posts == []


def test_without_an_address_nothing_starts() -> None:
    """The message names the setting."""
    with pytest.raises(SettingsInvalid, match=r"webhook\.url"):
        WebhookStore(WebhookSettings(), clock=Standing())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"url": "http://example.com/x"}, "https to another machine"),
        ({"url": "ftp://example.com/x"}, r"http\(s\)://host"),
        ({"url": "https://user:pw@example.com/x"}, "without a user"),
        ({"url": "https://example.com/x", "secret_file": None}, "secret_file beside url"),
        ({"url": "http://127.0.0.1/x", "ca_file": "ca.pem"}, "https url beside ca_file"),
    ],
)
def test_addresses(given: dict[str, Any], expected: str) -> None:
    """Alerts leave the machine encrypted and signed, unless a setting says otherwise."""
    with pytest.raises(ValueError, match=expected):
        WebhookSettings(**({"secret_file": "key"} | given))


@pytest.mark.parametrize("url", ["https://example.com/a/b?c=d", "http://localhost:9/", "http://[::1]:9/"])
def test_allowed_addresses(url: str) -> None:
    """https, and http on this machine."""
    assert WebhookSettings(url=url, secret_file=Path("key")).url == url
    assert WebhookSettings(url="http://example.com", plain=True, secret_file=Path("key")).plain
