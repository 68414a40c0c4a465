"""The values of one event under its names: identifiers as keys, words bare, times and amounts within their bounds."""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import LATEST_US
from lotstream.schemas.epcis import models
from lotstream.schemas.epcis.keys import class_key, epc_key, place_key, require_name
from lotstream.schemas.epcis.names import Names
from lotstream.schemas.epcis.times import parse_instant
from lotstream.schemas.epcis.tree import number_text
from lotstream.schemas.epcis.words import DISPOSITION, PARTY, TRANSACTION, Vocabulary
from lotstream.schemas.events import Quantity, Typed

_MILLIONTH = Decimal("0.000001")
_TOO_LARGE = Decimal(10**12)


class Reader:
    """Reads the values of one event under its names; what is wrong is said with its field. Methods raise Rejected."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def at(self, field: str, parse: Callable[[str], str], uri: str) -> str:
        """`parse(uri)` with compact IRIs expanded; '' of ''."""
        if not uri:
            return ""
        try:
            return parse(self.names.iri(uri))
        except Rejected as rejected:
            raise Rejected(rejected.reason, rejected.detail, field=field) from None

    def epc(self, uri: str, field: str) -> str:
        """The key of one object."""
        return self.at(field, epc_key, uri)

    def epcs(self, uris: Sequence[str], field: str) -> tuple[str, ...]:
        """The keys of objects, each once."""
        iri = self.names.iri
        try:
            # one pass without a frame per EPC; the position is looked for only when one is wrong
            return tuple(dict.fromkeys([epc_key(iri(uri)) for uri in uris]))
        except Rejected:
            return tuple([self.at(f"{field}.{index}", epc_key, uri or " ") for index, uri in enumerate(uris)])

    def place(self, place: models.Place | None, field: str) -> str:
        """The key of a place, '' of none."""
        return "" if place is None else self.place_of(place.id, f"{field}.id")

    def place_of(self, uri: str, field: str) -> str:
        """The key of a place or party."""
        return self.at(field, place_key, uri or " ")

    def class_of(self, uri: str, field: str) -> str:
        """The key of a class or lot of objects."""
        return self.at(field, class_key, uri or " ")

    def name(self, uri: str, field: str) -> str:
        """A URI that fits a name."""
        return self.at(field, require_name, uri)

    def quantities(self, elements: Sequence[models.QuantityElement], field: str) -> tuple[Quantity, ...]:
        """Amounts of classes."""
        return tuple([self._quantity(one, f"{field}.{index}") for index, one in enumerate(elements)])

    def _quantity(self, element: models.QuantityElement, field: str) -> Quantity:
        given = element.quantity
        amount = None if given is None else amount_of(given, f"{field}.quantity")
        return Quantity(
            epc_class=self.class_of(element.epcClass, f"{field}.epcClass"), quantity=amount, uom=element.uom or ""
        )

    def word(self, text: str | None, vocabulary: Vocabulary, field: str) -> str:
        """The bare word; a word of somebody else's vocabulary as its whole URI."""
        if text is None or text in vocabulary.words:
            return text or ""
        iri = self.names.iri(text)
        word = vocabulary.bare(iri)
        if word != iri:
            return word
        if vocabulary.refuses(iri):
            detail = f"Expected {vocabulary.what} of CBV 2.0 or a URI of another vocabulary, got {text!r}."
            raise Rejected(Reason.SCHEMA_INVALID, detail, field=field)
        return iri if ":" not in iri else self.name(iri, field)

    def words(self, texts: Sequence[str] | None, field: str) -> tuple[str, ...]:
        """Dispositions."""
        return tuple(self.word(text, DISPOSITION, f"{field}.{index}") for index, text in enumerate(texts or ()))

    def documents(self, elements: Sequence[models.BizTransaction]) -> tuple[Typed, ...]:
        """Business transactions with their types."""
        found = []
        for index, one in enumerate(elements):
            field = f"bizTransactionList.{index}"
            kind = self.word(one.type or None, TRANSACTION, f"{field}.type")
            self.name(one.bizTransaction or " ", f"{field}.bizTransaction")
            found.append(Typed(type=kind, id=one.bizTransaction))
        return tuple(found)

    def parties(self, typed: Sequence[tuple[str, str]], role: str) -> tuple[Typed, ...]:
        """Sources or destinations with their types."""
        found = []
        for index, (kind, uri) in enumerate(typed):
            field = f"{role}List.{index}"
            key = self.place_of(uri, f"{field}.{role}")
            found.append(Typed(type=self.word(kind, PARTY, f"{field}.type"), id=key))
        return tuple(found)


def instant_of(text: str, field: str) -> int:
    """Microseconds since the epoch. Raises Rejected."""
    try:
        time_us = parse_instant(text)
    except ValueError as error:
        raise Rejected(Reason.SCHEMA_INVALID, str(error), field=field) from None
    if not 0 <= time_us <= LATEST_US:
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected a time from 1970 to 2100, got {text!r}.", field=field)
    return time_us


def amount_of(number: int | Decimal, field: str) -> Decimal:
    """Decimal(18,6); finer digits are the dust of binary fractions and are rounded off. Raises Rejected."""
    exact = Decimal(number)
    if not 0 <= exact < _TOO_LARGE:
        raise Rejected(Reason.VALUE_OUT_OF_RANGE, f"Expected 0 <= quantity < 10^12, got {exact}.", field=field)
    return Decimal(number_text(exact.quantize(_MILLIONTH, rounding=ROUND_HALF_EVEN)))
