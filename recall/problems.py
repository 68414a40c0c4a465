"""Why there is no answer, as programs read it."""

from lotstream.recall.answers import Problem
from lotstream.recall.case_ask import CaseMissing
from lotstream.recall.find import DocumentMissing, LocationMissing, LotAmbiguous, LotMissing, NotFound, UnitMissing
from lotstream.recall.report.facts import FigureMissing
from lotstream.recall.store import ClickhouseAway
from lotstream.schemas.identifiers import IdentifierInvalid


def problem(error: Exception) -> Problem | None:
    """The failure of a question as a value; None for an error that is not one of recall's."""
    detail = " ".join(str(error).split())
    match error:
        case LotMissing():
            return Problem(error="lot_missing", detail=detail, near=_known(error))
        case UnitMissing():
            return Problem(error="unit_missing", detail=detail, near=_known(error))
        case LocationMissing():
            return Problem(error="location_missing", detail=detail, near=_known(error))
        case FigureMissing():
            return Problem(error="figure_missing", detail=detail, near=_known(error))
        case LotAmbiguous():
            return Problem(error="lot_ambiguous", detail=detail, candidates=tuple(error.candidates))
        case CaseMissing():
            return Problem(error="case_missing", detail=detail, near=_known(error))
        case DocumentMissing():
            return Problem(error="document_missing", detail=detail)
        case IdentifierInvalid():
            return Problem(error="identifier_invalid", detail=detail)
        case ClickhouseAway():
            return Problem(error="clickhouse_away", detail=detail)
    return None


def _known(error: NotFound) -> tuple[str, ...]:
    return tuple(error.near)
