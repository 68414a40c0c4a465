"""The key data elements of each critical tracking event: 21 CFR part 1 subpart S, as facts. Not legal advice.

Sprouts (1.1330(b)), food of exempt suppliers (1.1330(c), 1.1345(b)) are not covered.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

RULE = "21 CFR part 1 subpart S (FSMA 204)"
LOCATION_MEMBERS = ("business_name", "phone", "street_or_geo", "city", "state", "zip", "country")


class Cte(StrEnum):
    """Critical tracking events, in the order of a food's way."""

    HARVESTING = "harvesting"
    COOLING = "cooling"
    INITIAL_PACKING = "initial_packing"
    FIRST_LAND_BASED_RECEIVING = "first_land_based_receiving"
    SHIPPING = "shipping"
    RECEIVING = "receiving"
    TRANSFORMATION = "transformation"


class Need(StrEnum):
    """When an element has to be there."""

    REQUIRED = "required"
    IF_APPLICABLE = "if_applicable"
    ONE_OF = "one_of"
    OPTIONAL = "optional"


class Kde(NamedTuple):
    """A key data element."""

    name: str
    label: str
    type: str = "string"
    need: Need = Need.REQUIRED
    group: str = ""  # of ONE_OF: at least one element of the group

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it takes in the spreadsheet."""
        if self.type != "location":
            return (self.name,)
        return tuple(f"{self.name}_{member}" for member in LOCATION_MEMBERS)


CFR: Mapping[Cte, str] = {
    Cte.HARVESTING: "1.1325(a)",
    Cte.COOLING: "1.1325(b)",
    Cte.INITIAL_PACKING: "1.1330(a)",
    Cte.FIRST_LAND_BASED_RECEIVING: "1.1335",
    Cte.SHIPPING: "1.1340(a)",
    Cte.RECEIVING: "1.1345(a)",
    Cte.TRANSFORMATION: "1.1350(a)",
}

_IF, _OPT = Need.IF_APPLICABLE, Need.OPTIONAL
_DOCUMENT = (
    Kde("reference_document_type", "Reference document type"),
    Kde("reference_document_number", "Reference document number"),
)
_TLC = Kde("traceability_lot_code", "Traceability lot code", "tlc")
_PRODUCT = Kde("product_description", "Product description", "product")
_REFERENCE = Kde("tlc_source_reference", "Traceability lot code source reference", "string", _OPT)
_SOURCE = (
    Kde("tlc_source_location", "Traceability lot code source location", "location", Need.ONE_OF, "tlc_source"),
    _REFERENCE._replace(need=Need.ONE_OF, group="tlc_source"),
)
_COMMODITY = (Kde("commodity", "Commodity"), Kde("variety", "Variety", "string", _IF))
_RECIPIENT = Kde("subsequent_recipient_location", "Immediate subsequent recipient location", "location")
_FARM = Kde("farm_location", "Farm location", "location")
_GROWN = (
    Kde("field_name", "Field or growing area name", "string", Need.ONE_OF, "harvest_place"),
    Kde("container_name", "Container name", "string", Need.ONE_OF, "harvest_place"),
)
_HARVEST_DATE = Kde("harvest_date", "Harvest date", "date")
_COOLED = (Kde("cooling_location", "Cooling location", "location"), Kde("cooling_date", "Cooling date", "date"))


def _amount(word: str) -> tuple[Kde, Kde]:
    return Kde("quantity", f"{word} quantity", "decimal"), Kde("uom", f"{word} unit of measure")


KDES: Mapping[Cte, tuple[Kde, ...]] = {
    Cte.HARVESTING: (_RECIPIENT, *_COMMODITY, *_amount("Harvested"), _FARM, *_GROWN, _HARVEST_DATE, *_DOCUMENT),
    Cte.COOLING: (_RECIPIENT, *_COMMODITY, *_amount("Cooled"), *_COOLED, _FARM, *_DOCUMENT),
    Cte.INITIAL_PACKING: (
        *_COMMODITY,
        Kde("received_date", "Date received", "date"),
        Kde("received_quantity", "Received quantity", "decimal"),
        Kde("received_uom", "Received unit of measure"),
        _FARM,
        *_GROWN,
        Kde("harvester_business_name", "Harvester business name"),
        Kde("harvester_phone", "Harvester phone", "phone"),
        _HARVEST_DATE,
        *(kde._replace(need=_IF) for kde in _COOLED),
        _TLC,
        _PRODUCT,
        Kde("packed_quantity", "Packed quantity", "decimal"),
        Kde("packed_uom", "Packed unit of measure"),
        Kde("packing_location", "Packing location (traceability lot code source)", "location"),
        _REFERENCE,
        Kde("packing_date", "Packing date", "date"),
        *_DOCUMENT,
    ),
    Cte.FIRST_LAND_BASED_RECEIVING: (
        _TLC,
        Kde("species_or_market_name", "Species or market name", "string", Need.ONE_OF, "food_name"),
        _PRODUCT._replace(need=Need.ONE_OF, group="food_name"),
        *_amount("Received"),
        Kde("harvest_date_begin", "Harvest date range, begin", "date"),
        Kde("harvest_date_end", "Harvest date range, end", "date"),
        Kde("harvest_locations", "Locations of the trip"),
        Kde("receiving_location", "First land-based receiver (traceability lot code source)", "location"),
        _REFERENCE,
        Kde("landing_date", "Landing date", "date"),
        *_DOCUMENT,
    ),
    Cte.SHIPPING: (
        _TLC,
        *_amount("Shipped"),
        _PRODUCT,
        _RECIPIENT,
        Kde("ship_from_location", "Ship-from location", "location"),
        Kde("ship_date", "Ship date", "date"),
        *_SOURCE,
        *_DOCUMENT,
    ),
    Cte.RECEIVING: (
        _TLC,
        *_amount("Received"),
        _PRODUCT,
        Kde("previous_source_location", "Immediate previous source location", "location"),
        Kde("receiving_location", "Receiving location", "location"),
        Kde("receive_date", "Receive date", "date"),
        *_SOURCE,
        *_DOCUMENT,
    ),
    Cte.TRANSFORMATION: (
        Kde("input_traceability_lot_code", "Input traceability lot code", "tlc"),
        Kde("input_product_description", "Input product description", "product"),
        Kde("input_quantity", "Input quantity used", "decimal"),
        Kde("input_uom", "Input unit of measure"),
        _TLC,
        Kde("transformation_location", "Transformation location (traceability lot code source)", "location"),
        _REFERENCE,
        Kde("completion_date", "Date transformation completed", "date"),
        _PRODUCT,
        *_amount("Output"),
        *_DOCUMENT,
    ),
}


def columns(cte: Cte) -> tuple[str, ...]:
    """The columns of a critical tracking event's sheet."""
    return tuple(column for kde in KDES[cte] for column in kde.columns)
