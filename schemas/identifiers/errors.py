"""One error for every identifier that is not valid: the rule it breaks, what was expected, what was there."""

from enum import StrEnum

from lotstream.runtime.errors import Reason, Rejected


class Rule(StrEnum):
    """The rule that an identifier breaks. A closed set: programs decide on it, never on the text."""

    CHECK_DIGIT = "check_digit"
    CHECK_PAIR = "check_pair"
    LENGTH = "length"
    CHARACTERS = "characters"
    VALUE = "value"
    DATE = "date"
    FORM = "form"
    UNKNOWN_AI = "unknown_ai"
    UNKNOWN_SCHEME = "unknown_scheme"
    UNKNOWN_SYMBOLOGY = "unknown_symbology"
    REPEATED = "repeated"
    EXCLUDED = "excluded"
    REQUIRED = "required"
    NOT_GS1 = "not_gs1"


_REASONS = {
    Rule.CHECK_DIGIT: Reason.CHECK_DIGIT_INVALID,
    Rule.CHECK_PAIR: Reason.CHECK_DIGIT_INVALID,
    Rule.UNKNOWN_SYMBOLOGY: Reason.BARCODE_INVALID,
    Rule.REPEATED: Reason.BARCODE_INVALID,
    Rule.EXCLUDED: Reason.BARCODE_INVALID,
    Rule.REQUIRED: Reason.BARCODE_INVALID,
    Rule.NOT_GS1: Reason.BARCODE_INVALID,
}
_SHOWN = 120


class IdentifierInvalid(Rejected):
    """An identifier, barcode or EPC that breaks `rule`; reads "Expected X, got Y in 'Z'."."""

    def __init__(self, rule: Rule, expected: str, got: str, where: str) -> None:
        shown = where if len(where) <= _SHOWN else f"{where[: _SHOWN - 1]}…"
        super().__init__(_REASONS.get(rule, Reason.IDENTIFIER_INVALID), f"Expected {expected}, got {got} in {shown!r}.")
        self.rule = rule
        self.expected = expected
        self.got = got
        self.where = where

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.rule, self.expected, self.got, self.where)
