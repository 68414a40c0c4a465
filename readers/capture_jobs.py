"""Capture jobs (EPCIS 2.0, section 12.6): what became of each document that was sent to be captured.

A job lives in the gateway that took its document, until newer ones push it out or the process ends. What it says about
events is in the log and in the dead letters all the same.
"""

import itertools
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST_JOBS = 10_000
MOST_ERRORS = 100


@dataclass(slots=True, kw_only=True)
class Job:
    """One document. Its id is the request's: a request that is sent again is the same job."""

    id: str
    source: str
    behaviour: str
    created_us: int
    finished_us: int | None = None
    success: bool = False
    errors: list[dict[str, Any]] = field(default_factory=list)

    def finish(self, at_us: int, *, errors: Sequence[dict[str, Any]]) -> None:
        """Without errors it was a success."""
        self.finished_us, self.success, self.errors = at_us, not errors, list(errors[:MOST_ERRORS])

    def described(self) -> dict[str, Any]:
        """EPCISCaptureJob in JSON."""
        finished = {} if self.finished_us is None else {"finishedAt": _text(self.finished_us)}
        return {
            "captureID": self.id,
            "createdAt": _text(self.created_us),
            **finished,
            "running": self.finished_us is None,
            "success": self.success,
            "captureErrorBehaviour": self.behaviour,
            "errors": self.errors,
        }


class Jobs:
    """The jobs of one gateway, newest first; bounded."""

    def __init__(self, most: int = MOST_JOBS) -> None:
        self._most = most
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()

    def start(self, job: Job) -> Job:
        """A job that runs from now on; one of the same source and id is begun anew."""
        self._jobs.pop((job.source, job.id), None)
        self._jobs[job.source, job.id] = job
        if len(self._jobs) > self._most:
            self._jobs.popitem(last=False)
        return job

    def get(self, name: str, *, source: str) -> Job | None:
        """The job of that id, of any source where `source` is ''."""
        return next((job for job in self._of(source) if job.id == name), None)

    def page(self, *, source: str, after: str, most: int) -> tuple[list[Job], str]:
        """(jobs behind the one named `after`, the name to go on from; '' at the end)."""
        jobs = self._of(source)
        if after:
            jobs = itertools.islice(itertools.dropwhile(lambda job: job.id != after, jobs), 1, None)
        found = list(itertools.islice(jobs, most + 1))
        return found[:most], found[most - 1].id if len(found) > most else ""

    def _of(self, source: str) -> Iterator[Job]:
        return (job for job in reversed(self._jobs.values()) if not source or job.source == source)


def _text(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
