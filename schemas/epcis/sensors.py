"""Sensor elements: times and words are checked; what they measured stays in the event's text."""

from collections.abc import Sequence

from lotstream.schemas.epcis.models import SensorElement, SensorMetadata, SensorReport
from lotstream.schemas.epcis.reading import Reader, instant_of
from lotstream.schemas.epcis.words import ALERT, COMPONENT, MEASUREMENT


def check_sensors(elements: Sequence[SensorElement], *, read: Reader) -> None:
    """Raises Rejected for a time that is none or has no offset, and for a word that GS1 does not have."""
    for index, element in enumerate(elements):
        field = f"sensorElementList.{index}"
        if element.sensorMetadata is not None:
            _check_times(element.sensorMetadata, f"{field}.sensorMetadata")
        for number, report in enumerate(element.sensorReport):
            place = f"{field}.sensorReport.{number}"
            _check_times(report, place)
            read.word(report.type, MEASUREMENT, f"{place}.type")
            read.word(report.exception, ALERT, f"{place}.exception")
            read.word(report.component, COMPONENT, f"{place}.component")


def _check_times(part: SensorMetadata | SensorReport, field: str) -> None:
    for name in ("time", "startTime", "endTime"):
        text = getattr(part, name, None)
        if text is not None:
            instant_of(text, f"{field}.{name}")
