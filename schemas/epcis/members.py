"""Members of the standard and extensions told apart: a name with a colon is a compact or whole IRI, an extension."""

from collections.abc import Mapping
from typing import Any


def standard_members(event: Mapping[str, Any]) -> Any:
    """The standard's members, at every level where EPCIS has an extension point."""
    found = own_members(event)
    for name in ("readPoint", "bizLocation", "errorDeclaration"):
        if name in found:
            found[name] = own_members(found[name])
    elements = found.get("sensorElementList")
    if isinstance(elements, list):
        found["sensorElementList"] = [_sensor_element(element) for element in elements]
    return found


def _sensor_element(element: Any) -> Any:
    found = own_members(element)
    if isinstance(found, dict):
        if "sensorMetadata" in found:
            found["sensorMetadata"] = own_members(found["sensorMetadata"])
        reports = found.get("sensorReport")
        if isinstance(reports, list):
            found["sensorReport"] = [own_members(report) for report in reports]
    return found


def own_members(value: Any) -> Any:
    """The members without a namespace; what is no object as it is."""
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if ":" not in name and name != "@context"}
