"""The capture interface of EPCIS 2.0: jobs, versions, limits, problems."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from lotstream.readers.capture_jobs import Job, Jobs
from lotstream.readers.epcis_door import CAPTURE_LIMIT
from lotstream.schemas.epcis import event_hash

Event = dict[str, Any]
GOOD: Event = {
    "type": "ObjectEvent",
    "eventTime": "2026-03-02T10:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}
BAD = GOOD | {"bizStep": "shipped", "disposition": "lost"}
PROCEED = {"GS1_Capture_Error_Behaviour": "proceed"}
AT = "/epcisBody/eventList/1"


def document(*events: Event) -> Event:
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T10:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def send(door: Any, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = asyncio.run(door.client.request(method, path, json=body, headers=named))
    assert isinstance(answer, httpx.Response)
    return answer


def test_a_document_is_a_job(bench: Callable[..., Any]) -> None:
    """202 names a job; the job has ended well, and its events are in the log."""
    door = bench()
    answer = send(door, "POST", "/capture", document(GOOD), X_Request_Id="q/1")
    assert (answer.status_code, answer.headers["Location"]) == (202, "/capture/q%2F1")
    assert answer.headers["GS1-EPCIS-Version"] == answer.headers["GS1-CBV-Version"] == "2.0.0"
    assert len(door.of("events.v1")) == 1
    job = send(door, "GET", answer.headers["Location"]).json()
    assert {name: job[name] for name in ("captureID", "running", "success", "captureErrorBehaviour", "errors")} == {
        "captureID": "q/1",
        "running": False,
        "success": True,
        "captureErrorBehaviour": "rollback",
        "errors": [],
    }
    assert job["createdAt"] == job["finishedAt"] == "2026-03-02T10:00:10.000Z"


def test_rollback(bench: Callable[..., Any]) -> None:
    """One bad event and none is taken; the job has failed and names every fault as a problem with its pointer."""
    door = bench()
    answer = send(door, "POST", "/capture", document(GOOD, BAD))
    job = send(door, "GET", answer.headers["Location"]).json()
    assert (answer.status_code, answer.json()["accepted"], job["success"]) == (202, 0, False)
    assert [(one["pointer"], one["rule"]) for one in job["errors"]] == [
        (f"{AT}/bizStep", "biz_step"),
        (f"{AT}/disposition", "disposition"),
    ]
    assert {"type", "title", "status", "detail"} <= set(job["errors"][0])
    assert door.producer.sent == []


def test_proceed(bench: Callable[..., Any]) -> None:
    """With proceed the good events are taken and the job, which is no success, names the others."""
    door = bench()
    answer = send(door, "POST", "/capture", document(GOOD, BAD), **PROCEED)
    assert (answer.json()["accepted"], answer.json()["rejected"], answer.json()["success"]) == (1, 1, False)
    assert (len(door.of("events.v1")), len(door.of("dead-letters.v1"))) == (1, 1)


def test_what_is_no_document(bench: Callable[..., Any]) -> None:
    """A body that is no document is a problem at once, and a job that failed."""
    door = bench()
    answer = send(door, "POST", "/capture", {"type": "EPCISDocument"}, X_Request_Id="q")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    said = answer.json()
    assert (said["type"], said["status"], said["instance"]) == ("epcisException:ValidationException", 400, "/capture")
    assert (said["error"], said["field"]) == ("schema_invalid", "@context")
    assert send(door, "GET", "/capture/q").json()["success"] is False


def test_an_outage(bench: Callable[..., Any], failing: Any) -> None:
    """While Kafka takes nothing the answer is 503, and no job runs for ever."""
    door = bench(failing)
    answer = send(door, "POST", "/capture", document(GOOD), X_Request_Id="q")
    job = send(door, "GET", "/capture/q").json()
    assert (answer.status_code, answer.json()["status"], job["running"], job["success"]) == (503, 503, False, False)


def test_jobs_in_pages(bench: Callable[..., Any]) -> None:
    """Jobs come newest first, as many as asked for, with the place of the next ones."""
    door = bench()
    for number in range(5):
        send(door, "POST", "/capture", document(GOOD), X_Request_Id=f"q{number}")
    seen, path = [], "/capture?perPage=2"
    while path:
        answer = send(door, "GET", path)
        seen += [job["captureID"] for job in answer.json()]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == ["q4", "q3", "q2", "q1", "q0"]
    assert send(door, "GET", "/capture?perPage=none").status_code == 400
    missing = send(door, "GET", "/capture/other")
    assert (missing.status_code, missing.json()["type"]) == (404, "epcisException:NoSuchResourceException")


def test_old_jobs_are_forgotten() -> None:
    """A gateway keeps so many jobs, and one job for a request that is sent again."""
    jobs = Jobs(most=2)
    for number in (1, 2, 2, 3):
        jobs.start(Job(id=str(number), source="erp", behaviour="rollback", created_us=number))
    assert [job.id for job in jobs.page(source="", after="", most=9)[0]] == ["3", "2"]
    assert jobs.get("3", source="other") is None


def test_discovery(bench: Callable[..., Any]) -> None:
    """OPTIONS says which versions are understood and how much is taken at once."""
    for path in ("/capture", "/events"):
        answer = send(bench(max_body_bytes=5_000_000), "OPTIONS", path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["GS1-EPCIS-Min"] == answer.headers["GS1-EPCIS-Max"] == "2.0.0"
        assert answer.headers["GS1-EPCIS-Capture-Limit"] == str(CAPTURE_LIMIT)
        assert answer.headers["GS1-EPCIS-Capture-File-Size-Limit"] == "5000000"
        assert answer.headers["GS1-Capture-Error-Behaviour"] == "rollback"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"GS1_EPCIS_Version": "2.0"}, 202),
        ({"GS1_EPCIS_Version": "1.2"}, 406),
        ({"GS1_CBV_Version": "2.0.0", "GS1_EPCIS_Min": "1.2", "GS1_EPCIS_Max": "2.1"}, 202),
        ({"GS1_EPCIS_Min": "2.1"}, 406),
        ({"GS1_CBV_Max": "1.2.2"}, 406),
        ({"Content_Type": "application/xml"}, 415),
        ({"Content_Type": "application/ld+json"}, 202),
    ],
)
def test_versions_and_media_types(bench: Callable[..., Any], headers: dict[str, str], status: int) -> None:
    """EPCIS and CBV 2.0 in JSON are understood; who wants others is told so."""
    answer = send(bench(), "POST", "/capture", document(GOOD), **headers)
    assert answer.status_code == status
    if status > 400:
        assert answer.json()["status"] == status


def test_too_many_events(bench: Callable[..., Any]) -> None:
    """A document with more events than the header says is refused with 413."""
    answer = send(bench(), "POST", "/capture", document(*[{}] * (CAPTURE_LIMIT + 1)))
    assert (answer.status_code, answer.json()["type"]) == (413, "epcisException:CapturePayloadTooLarge")


def test_the_place_of_one_event(bench: Callable[..., Any]) -> None:
    """A single event is created at the place of its id; without one, of its hash."""
    door = bench()
    first = send(door, "POST", "/events", GOOD | {"eventID": "urn:uuid:1"})
    second = send(door, "POST", "/events", GOOD)
    assert (first.status_code, first.headers["Location"]) == (201, "/events/urn%3Auuid%3A1")
    assert httpx.URL(second.headers["Location"]).path == f"/events/{event_hash(GOOD)}"


def test_an_id_with_other_contents(bench: Callable[..., Any]) -> None:
    """An event id that comes again with other contents is another fact and flagged; with the same it is the same."""
    door = bench()
    named = GOOD | {"eventID": "urn:uuid:1"}
    assert "flags" not in send(door, "POST", "/capture", document(named)).json()
    assert "flags" not in send(door, "POST", "/capture", document(named)).json()
    said = send(door, "POST", "/capture", document(named | {"action": "DELETE"})).json()
    assert (said["accepted"], [flag["flag"] for flag in said["flags"]]) == (1, ["event_id_reused"])


def test_the_far_future(bench: Callable[..., Any]) -> None:
    """An event more than two days ahead of the gateway's clock is refused: it would be the newest for ever."""
    answer = send(bench(), "POST", "/events", GOOD | {"eventTime": "2026-03-05T10:00:00Z"})
    assert (answer.status_code, answer.json()["error"]) == (400, "time_implausible")
