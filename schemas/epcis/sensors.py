"""Sensor elements: their times are checked; what they measured, in which words, stays in the event's text."""

from collections.abc import Callable, Sequence

from lotstream.schemas.epcis.models import SensorElement, SensorMetadata, SensorReport

Instant = Callable[[str, str], int]


def check_sensors(elements: Sequence[SensorElement], *, instant: Instant) -> None:
    """Raises Rejected for a time that is none, or has no offset."""
    for index, element in enumerate(elements):
        field = f"sensorElementList.{index}"
        if element.sensorMetadata is not None:
            _check_times(element.sensorMetadata, f"{field}.sensorMetadata", instant=instant)
        for number, report in enumerate(element.sensorReport):
            _check_times(report, f"{field}.sensorReport.{number}", instant=instant)


def _check_times(part: SensorMetadata | SensorReport, field: str, *, instant: Instant) -> None:
    for name in ("time", "startTime", "endTime"):
        text = getattr(part, name, None)
        if text is not None:
            instant(text, f"{field}.{name}")
