"""Units that are placed when asked: a question over item rows, asked over those that are made of sightings too.

Item rows miss what was seen and forgotten before its lot was known, and what lay too far back when a lot was corrected;
the lots concerned were told so (table `unit_lots`). Of these, and of no others, the rows of such units are made from
their sightings (views `..._told`, migration 0021).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_OVER = "lots = {placed:Array(String)}"
_ROWS = re.compile(r"\b(lot_sightings|lot_versions|lot_events)\b")
_VIEWS = re.compile(r"\b(lot_facts|unit_places)_at\(")


def asks_units(text: str) -> bool:
    """Whether a query reads item rows."""
    return bool(_ROWS.search(text) or _VIEWS.search(text))


def over_told(text: str) -> str:
    """The same query with the units of lots ``placed`` placed by their sightings."""
    return _VIEWS.sub(rf"\1_told({_OVER}, ", _ROWS.sub(rf"\1_told({_OVER})", text))


def lots_in(parameters: Mapping[str, Any]) -> Sequence[str]:
    """The lots that a question is about, as its parameters name them."""
    lots: Sequence[str] = parameters.get("lots") or [lot for lot in [parameters.get("lot")] if lot]
    return lots
