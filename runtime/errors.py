"""The named fates of a failure: bad data is `Rejected`, an outage `Transient`; anything else is a bug."""

from enum import StrEnum


class Reason(StrEnum):
    """Why something went to the dead letters: a closed set, by which dashboards and commands group."""

    # the bytes
    TOO_LARGE = "too_large"
    ENCODING_INVALID = "encoding_invalid"
    JSON_INVALID = "json_invalid"
    CSV_INVALID = "csv_invalid"
    XML_INVALID = "xml_invalid"
    # the shape
    UNKNOWN_FORMAT = "unknown_format"
    SCHEMA_INVALID = "schema_invalid"
    VALUE_OUT_OF_RANGE = "value_out_of_range"
    # the names
    IDENTIFIER_INVALID = "identifier_invalid"
    CHECK_DIGIT_INVALID = "check_digit_invalid"
    BARCODE_INVALID = "barcode_invalid"
    UNIT_UNKNOWN = "unit_unknown"
    UNKNOWN_READER = "unknown_reader"
    UNKNOWN_LOCATION = "unknown_location"
    # the meaning
    TIME_IMPLAUSIBLE = "time_implausible"
    CONTRADICTION = "contradiction"
    DEPTH_EXCEEDED = "depth_exceeded"
    CYCLE = "cycle"
    # the store
    ROW_REFUSED = "row_refused"
    # a person
    PARKED = "parked"


class Rejected(Exception):
    """Bad data: it goes to the dead letters with its reason and is never tried again as it is.

    `detail` reads "Expected X, got Y."; `field` is the dotted path of the offending value, when there is one.
    """

    def __init__(self, reason: Reason, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail if field is None else f"{field}: {detail}")
        self.reason = reason
        self.detail = detail
        self.field = field

    def __reduce__(self) -> tuple[object, ...]:
        # the default would call the class with the joined text alone
        return _rejected, (type(self), self.reason, self.detail, self.field)


class Transient(Exception):
    """An outage: the same call may succeed after `retry_after_s` seconds. It is waited for, for ever."""

    def __init__(self, detail: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        return _transient, (type(self), self.detail, self.retry_after_s)


def _rejected(cls: type[Rejected], reason: Reason, detail: str, field: str | None) -> Rejected:
    return cls(reason, detail, field=field)


def _transient(cls: type[Transient], detail: str, retry_after_s: float) -> Transient:
    return cls(detail, retry_after_s=retry_after_s)
