"""Which fact stands for which key data element: a table; and what no fact says. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lotstream.recall.fsma_answer import FsmaMissing, FsmaRow
from lotstream.recall.fsma_places import Places
from lotstream.recall.fsma_rule import KDES, Cte, Kde, Need

_LOT = {"traceability_lot_code": ("tlc",), "product_description": ("product",)}
_MUCH = {"quantity": ("amount",), "uom": ("uom",)}
_PAPER = {"reference_document_type": ("document_type",), "reference_document_number": ("document_number",)}
_SOURCE = {"tlc_source_location": ("made_at",), "tlc_source_reference": ("lotstream:tlcSourceReference",)}
_FOOD = {"commodity": ("lotstream:commodity",), "variety": ("lotstream:variety",)}
_FIELD = {"field_name": ("lotstream:fieldName",), "container_name": ("lotstream:containerName",)}
_HARVESTED = ("cbvmda:harvestEndDate", "cbvmda:harvestStartDate")
# element: the facts that say it, the first that is known; 'prefix:name' is said by the event itself (ILMD or extension)
FACTS: Mapping[Cte, Mapping[str, tuple[str, ...]]] = {
    Cte.HARVESTING: {
        **_FOOD, **_FIELD, **_MUCH, **_PAPER,
        "subsequent_recipient_location": ("to",),
        "harvest_date": (*_HARVESTED, "date"),
        "farm_location": ("lotstream:farmLocation", "here"),
    },
    Cte.COOLING: {
        **_FOOD, **_MUCH, **_PAPER,
        "subsequent_recipient_location": ("to",),
        "farm_location": ("lotstream:farmLocation",),
        "cooling_location": ("lotstream:coolingLocation", "here"),
        "cooling_date": ("lotstream:coolingDate", "date"),
    },
    Cte.INITIAL_PACKING: {
        **_FOOD, **_FIELD, **_LOT, **_PAPER,
        "farm_location": ("lotstream:farmLocation",),
        "harvest_date": _HARVESTED,
        "cooling_location": ("lotstream:coolingLocation",),
        "cooling_date": ("lotstream:coolingDate",),
        "received_date": ("lotstream:receivedDate",),
        "received_quantity": ("lotstream:receivedQuantity",),
        "received_uom": ("lotstream:receivedUom",),
        "harvester_business_name": ("lotstream:harvesterName",),
        "harvester_phone": ("lotstream:harvesterPhone",),
        "packed_quantity": ("amount",),
        "packed_uom": ("uom",),
        "packing_location": ("here",),
        "packing_date": ("date",),
        "tlc_source_reference": ("lotstream:tlcSourceReference",),
    },
    Cte.FIRST_LAND_BASED_RECEIVING: {
        **_LOT, **_MUCH, **_PAPER,
        "species_or_market_name": ("cbvmda:speciesForFisheryStatisticsPurposesName",),
        "harvest_date_begin": ("cbvmda:harvestStartDate",),
        "harvest_date_end": ("cbvmda:harvestEndDate",),
        "harvest_locations": ("cbvmda:catchArea",),
        "receiving_location": ("here",),
        "landing_date": ("date",),
        "tlc_source_reference": ("lotstream:tlcSourceReference",),
    },
    Cte.SHIPPING: {**_LOT, **_MUCH, **_PAPER, **_SOURCE, "subsequent_recipient_location": ("to",),
                   "ship_from_location": ("from",), "ship_date": ("date",)},
    Cte.RECEIVING: {**_LOT, **_MUCH, **_PAPER, **_SOURCE, "previous_source_location": ("from",),
                    "receiving_location": ("here",), "receive_date": ("date",)},
    Cte.TRANSFORMATION: {
        **_LOT, **_MUCH, **_PAPER,
        "input_traceability_lot_code": ("in_tlc",),
        "input_product_description": ("in_product",),
        "input_quantity": ("in_amount",),
        "input_uom": ("in_uom",),
        "transformation_location": ("here",),
        "completion_date": ("date",),
        "tlc_source_reference": ("lotstream:tlcSourceReference",),
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tracked:
    """A critical tracking event of a lot, with every fact that is known of it, by the names of the table."""

    cte: Cte
    lot: str
    event: str
    said: Mapping[str, str]


def row_of(one: Tracked, places: Places) -> FsmaRow:
    """Its row: what is not known stays empty."""
    values: dict[str, str] = {}
    for kde in KDES[one.cte]:
        said = _said(one, kde)
        values |= dict(zip(kde.columns, _written(kde, said, places), strict=True))
    return FsmaRow(event=one.event, lot=one.lot, values=values)


def missing_of(one: Tracked, row: FsmaRow) -> Iterator[FsmaMissing]:
    """What has to be there and is not; of a location, which of its members."""
    for kde in KDES[one.cte]:
        absent = [column for column in kde.columns if not row.values[column]]
        if kde.need is Need.REQUIRED and absent:
            yield _missing(one, kde, _which(kde, absent))
    for group, kdes in _groups(one.cte).items():
        if not any(_complete(row, kde) for kde in kdes):
            instead = " or ".join(kde.label for kde in kdes)
            yield _missing(one, kdes[0], f"one of {group.replace('_', ' ')}: {instead}")
    if one.said.get("date") and not one.said.get("zone"):
        zone = Kde("date", "Time zone of the site")
        yield _missing(one, zone, "the location is not in the mapping: its dates are in UTC")


def _said(one: Tracked, kde: Kde) -> str:
    return next((one.said[name] for name in FACTS[one.cte].get(kde.name, ()) if one.said.get(name)), "")


def _written(kde: Kde, said: str, places: Places) -> Iterable[str]:
    if kde.type == "location":
        return places.describe(said).values()
    return (said[:10] if kde.type == "date" else said,)


def _groups(cte: Cte) -> dict[str, list[Kde]]:
    groups: dict[str, list[Kde]] = {}
    for kde in KDES[cte]:
        if kde.need is Need.ONE_OF:
            groups.setdefault(kde.group, []).append(kde)
    return groups


def _complete(row: FsmaRow, kde: Kde) -> bool:
    return all(row.values[column] for column in kde.columns)


def _which(kde: Kde, absent: list[str]) -> str:
    if kde.type != "location":
        return "no fact says it"
    members = ", ".join(column.removeprefix(f"{kde.name}_").replace("_", " ") for column in absent)
    return f"master data without {members}"


def _missing(one: Tracked, kde: Kde, detail: str) -> FsmaMissing:
    return FsmaMissing(cte=one.cte, event=one.event, lot=one.lot, kde=kde.name, label=kde.label, detail=detail)
