"""The rules that a document can break, and where they are written."""

from enum import StrEnum

from lotstream.runtime.errors import Reason, Rejected


class Rule(StrEnum):
    """What a fault is about. A closed set: programs decide on it, never on the text."""

    JSON = "json"
    MEMBER_TWICE = "member_twice"
    DOCUMENT = "document"
    CONTEXT = "context"
    REQUIRED = "required"
    UNKNOWN_MEMBER = "unknown_member"
    FORM = "form"
    EVENT_TYPE = "event_type"
    CONDITION = "condition"
    TIME = "time"
    TIME_IMPLAUSIBLE = "time_implausible"
    TIME_ZONE_OFFSET = "time_zone_offset"
    ACTION = "action"
    URI = "uri"
    EPC = "epc"
    EPC_CLASS = "epc_class"
    CHECK_DIGIT = "check_digit"
    QUANTITY = "quantity"
    UNIT_OF_MEASURE = "unit_of_measure"
    BIZ_STEP = "biz_step"
    DISPOSITION = "disposition"
    LOCATION = "location"
    BIZ_TRANSACTION = "biz_transaction"
    SOURCE_DESTINATION = "source_destination"
    ERROR_DECLARATION = "error_declaration"
    PERSISTENT_DISPOSITION = "persistent_disposition"
    SENSOR = "sensor"
    TRANSFORMATION_ID = "transformation_id"
    ILMD = "ilmd"
    EXTENSION = "extension"
    DEPTH = "depth"

    @property
    def section(self) -> str:
        """Where the rule is written."""
        return _SECTIONS[self]


_OURS = "lotstream, docs/epcis.md"
_JSON_BINDING = "EPCIS 2.0, section 10 (JSON/JSON-LD binding)"
_SECTIONS = {
    Rule.JSON: "RFC 8259",
    Rule.MEMBER_TWICE: "RFC 8259, section 4",
    Rule.DOCUMENT: _JSON_BINDING,
    Rule.CONTEXT: _JSON_BINDING,
    Rule.REQUIRED: "EPCIS 2.0, section 7.4 (event types)",
    Rule.UNKNOWN_MEMBER: _JSON_BINDING,
    Rule.FORM: _JSON_BINDING,
    Rule.EVENT_TYPE: "EPCIS 2.0, section 7.4 (event types)",
    Rule.CONDITION: "EPCIS 2.0, sections 7.4.2 to 7.4.6 (event types)",
    Rule.TIME: "EPCIS 2.0, section 7.4.1 (EPCISEvent); RFC 3339",
    Rule.TIME_IMPLAUSIBLE: _OURS,
    Rule.TIME_ZONE_OFFSET: "EPCIS 2.0, section 7.4.1 (EPCISEvent)",
    Rule.ACTION: "EPCIS 2.0, section 7.3.2 (action)",
    Rule.URI: "EPCIS 2.0, section 6.4 (identifiers); RFC 3986",
    Rule.EPC: "CBV 2.0, section 8.2 (objects, instance level); EPC Tag Data Standard; GS1 Digital Link",
    Rule.EPC_CLASS: "CBV 2.0, section 8.3 (objects, class level); EPC Tag Data Standard; GS1 Digital Link",
    Rule.CHECK_DIGIT: "GS1 General Specifications, section 7.9 (check digits)",
    Rule.QUANTITY: "EPCIS 2.0, section 7.3.3.3 (QuantityElement)",
    Rule.UNIT_OF_MEASURE: "EPCIS 2.0, section 7.3.3.3 (QuantityElement); UN/CEFACT Recommendation 20",
    Rule.BIZ_STEP: "CBV 2.0, section 7.1 (business steps)",
    Rule.DISPOSITION: "CBV 2.0, section 7.2 (dispositions)",
    Rule.LOCATION: "CBV 2.0, section 8.4 (locations)",
    Rule.BIZ_TRANSACTION: "CBV 2.0, section 7.3 (business transaction types)",
    Rule.SOURCE_DESTINATION: "CBV 2.0, section 7.4 (source/destination types)",
    Rule.ERROR_DECLARATION: "CBV 2.0, section 7.5 (error reasons); EPCIS 2.0, section 7.4.1 (EPCISEvent)",
    Rule.PERSISTENT_DISPOSITION: "CBV 2.0, section 7.2 (dispositions)",
    Rule.SENSOR: "EPCIS 2.0, section 7.3.7 (the How dimension)",
    Rule.TRANSFORMATION_ID: "CBV 2.0, section 8.7 (transformations)",
    Rule.ILMD: "EPCIS 2.0, section 7.3.6 (ILMD); CBV 2.0, section 9.2",
    Rule.EXTENSION: _OURS,
    Rule.DEPTH: _OURS,
}
_OF_MEMBERS: dict[str | int, Rule] = {
    "eventTime": Rule.TIME,
    "recordTime": Rule.TIME,
    "declarationTime": Rule.TIME,
    "creationDate": Rule.TIME,
    "time": Rule.TIME,
    "startTime": Rule.TIME,
    "endTime": Rule.TIME,
    "eventTimeZoneOffset": Rule.TIME_ZONE_OFFSET,
    "action": Rule.ACTION,
    "type": Rule.EVENT_TYPE,
    "epcList": Rule.EPC,
    "childEPCs": Rule.EPC,
    "inputEPCList": Rule.EPC,
    "outputEPCList": Rule.EPC,
    "parentID": Rule.EPC,
    "epcClass": Rule.EPC_CLASS,
    "quantity": Rule.QUANTITY,
    "uom": Rule.UNIT_OF_MEASURE,
    "bizStep": Rule.BIZ_STEP,
    "disposition": Rule.DISPOSITION,
    "persistentDisposition": Rule.PERSISTENT_DISPOSITION,
    "readPoint": Rule.LOCATION,
    "bizLocation": Rule.LOCATION,
    "bizTransactionList": Rule.BIZ_TRANSACTION,
    "sourceList": Rule.SOURCE_DESTINATION,
    "destinationList": Rule.SOURCE_DESTINATION,
    "errorDeclaration": Rule.ERROR_DECLARATION,
    "sensorElementList": Rule.SENSOR,
    "transformationID": Rule.TRANSFORMATION_ID,
    "ilmd": Rule.ILMD,
    "eventID": Rule.URI,
    "certificationInfo": Rule.URI,
    "@context": Rule.CONTEXT,
}
_OF_REASONS = {
    Reason.JSON_INVALID: Rule.JSON,
    Reason.CHECK_DIGIT_INVALID: Rule.CHECK_DIGIT,
    Reason.CYCLE: Rule.CONDITION,
    Reason.DEPTH_EXCEEDED: Rule.DEPTH,
    Reason.TIME_IMPLAUSIBLE: Rule.TIME_IMPLAUSIBLE,
}


_FORMS = tuple(f"Expected {form}," for form in ("text", "an array", "an object", "true or false", "a number"))
Path = tuple[str | int, ...]


def rule_of(rejected: Rejected, path: Path) -> Rule:
    """The rule behind a refusal: of its reason or its words, else of the innermost member of its path that has one."""
    if rejected.detail.startswith("Expected each member once"):
        return Rule.MEMBER_TWICE
    if rejected.reason in _OF_REASONS:
        return _OF_REASONS[rejected.reason]
    if rejected.detail.endswith(", got none."):
        return Rule.REQUIRED
    if rejected.detail.startswith("Expected a member of EPCIS 2.0"):
        return Rule.UNKNOWN_MEMBER
    if rejected.detail.startswith(_FORMS):
        return Rule.FORM
    if "ilmd" in path:
        return Rule.ILMD
    if any(":" in part for part in path if isinstance(part, str)):
        return Rule.EXTENSION
    named = [_OF_MEMBERS[part] for part in reversed(path) if part in _OF_MEMBERS]
    if not named:
        return Rule.CONDITION if not path or isinstance(path[-1], int) else Rule.DOCUMENT
    # `type` is the event's own only where nothing is around it
    return next((rule for rule in named if rule is not Rule.EVENT_TYPE), Rule.EVENT_TYPE)
