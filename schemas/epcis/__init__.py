"""EPCIS 2.0 in JSON and JSON-LD: documents to records of events.v1, and the event hash id of CBV 2.0."""

from lotstream.schemas.epcis.check import Checked, Fault, check_document, hash_document
from lotstream.schemas.epcis.content import subject_of
from lotstream.schemas.epcis.document import ParsedEvent, parse_document, to_trace_event
from lotstream.schemas.epcis.keys import uri_key
from lotstream.schemas.epcis.prehash import event_hash, hash_of, prehash
from lotstream.schemas.epcis.tree import Node, event_node

__all__ = [
    "Checked",
    "Fault",
    "Node",
    "ParsedEvent",
    "check_document",
    "event_hash",
    "event_node",
    "hash_document",
    "hash_of",
    "parse_document",
    "prehash",
    "subject_of",
    "to_trace_event",
    "uri_key",
]
