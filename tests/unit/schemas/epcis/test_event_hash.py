"""The event hash id: pre-hash strings worked out by hand from the rules, and what must not change a hash."""

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lotstream.schemas.epcis import Node, event_hash, event_node, hash_of, parse_document, prehash
from lotstream.schemas.epcis.names import NAMES

Event = dict[str, Any]
CBV = "https://ref.gs1.org/cbv/"
ID = "https://id.gs1.org/"
CONTEXT = [{"ex": "https://example.org/ns/", "other": "urn:example:other:"}]


def said(event: Event, context: object = CONTEXT) -> str:
    return prehash(event_node(event, NAMES.within(context)))


def head(kind: str) -> Event:
    return {"type": kind, "eventTime": "2020-03-04T11:00:30+01:00", "eventTimeZoneOffset": "+01:00"}


HEAD = "eventTime=2020-03-04T10:00:30.000ZeventTimeZoneOffset=+01:00"


def test_object_event(shipped: Event) -> None:
    """Fields in canonical order, lists sorted by code points, a type behind its value, keys as Digital Links."""
    assert said(shipped) == (
        "eventType=ObjectEventeventTime=2026-03-02T09:00:10.500ZeventTimeZoneOffset=+01:00"
        f"epcListepc={ID}00/106141410000001580epc={ID}01/10614141073464/21/2018"
        f"quantityListquantityElementepcClass={ID}01/04012345123456/10/998877quantity=200.5uom=KGM"
        f"action=OBSERVEbizStep={CBV}BizStep-shippingdisposition={CBV}Disp-in_transit"
        f"readPointid={ID}414/0614141007776bizLocationid={ID}414/0614141007776/254/dock-2"
        "bizTransactionList"
        f"bizTransaction=http://transaction.example.com/po/12345678type={CBV}BTT-po"
        f"bizTransaction=urn:epcglobal:cbv:bt:0614141000012:1152type={CBV}BTT-desadv"
        f"sourceListsource={ID}417/0614141007776type={CBV}SDT-owning_party"
        f"destinationListdestination={ID}414/4012345002256type={CBV}SDT-location"
    )


def test_aggregation_event() -> None:
    """The parent comes before the children, class-level children after them."""
    event = head("AggregationEvent") | {
        "childQuantityList": [{"epcClass": "urn:epc:idpat:sgtin:4012345.066666.*", "quantity": 220}],
        "childEPCs": ["urn:epc:id:grai:4012345.55555.987"],
        "parentID": "urn:epc:id:sscc:0614141.1234567890",
        "action": "ADD",
    }
    assert said(event) == (
        f"eventType=AggregationEvent{HEAD}parentID={ID}00/106141412345678908"
        f"childEPCsepc={ID}8003/04012345555554987"
        f"childQuantityListquantityElementepcClass={ID}01/04012345666663quantity=220action=ADD"
    )


def test_association_event() -> None:
    """An association is hashed like an aggregation, under its own type."""
    event = head("AssociationEvent") | {
        "parentID": "urn:epc:id:grai:4012345.55555.987",
        "childEPCs": ["urn:epc:id:giai:4000001.12345"],
        "action": "DELETE",
    }
    assert said(event) == (
        f"eventType=AssociationEvent{HEAD}parentID={ID}8003/04012345555554987"
        f"childEPCsepc={ID}8004/400000112345action=DELETE"
    )


def test_transaction_event() -> None:
    """In a transaction event, too, the transactions come after the objects and the action."""
    event = head("TransactionEvent") | {
        "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:4012345.11111.123"}],
        "epcList": [],
        "parentID": "urn:epc:id:sscc:0614141.1234567890",
        "action": "OBSERVE",
    }
    assert said(event) == (
        f"eventType=TransactionEvent{HEAD}parentID={ID}00/106141412345678908action=OBSERVE"
        f"bizTransactionListbizTransaction={ID}253/4012345111118123type={CBV}BTT-po"
    )


def test_transformation_event() -> None:
    """Inputs, then outputs; persistent dispositions set, then unset; then master data and extensions, each sorted."""
    event = head("TransformationEvent") | {
        "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 1.50, "uom": "KGM"}],
        "outputEPCList": ["urn:epc:id:sgtin:4012345.077889.26", "urn:epc:id:sgtin:4012345.077889.25"],
        "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.011111.4444", "quantity": 10}],
        "inputEPCList": ["urn:epc:id:sgtin:4012345.011122.25"],
        "transformationID": "urn:epc:id:gdti:0614141.12345.400",
        "persistentDisposition": {"unset": ["completeness_inferred"], "set": ["recalled", "completeness_verified"]},
        "ilmd": {"ex:bestBefore": "2014-12-10", "cbvmda:lotNumber": "A"},
        "ex:b": [True, 2.0, {"ex:z": "1", "ex:y": None}],
        "ex:a": "text",
    }
    assert said(event) == (
        f"eventType=TransformationEvent{HEAD}inputEPCListepc={ID}01/04012345111224/21/25"
        f"inputQuantityListquantityElementepcClass={ID}01/04012345111118/10/4444quantity=10"
        f"outputEPCListepc={ID}01/04012345778892/21/25epc={ID}01/04012345778892/21/26"
        f"outputQuantityListquantityElementepcClass={ID}01/04012345123456/10/Aquantity=1.5uom=KGM"
        f"transformationID={ID}253/0614141123452400"
        f"persistentDispositionset={CBV}Disp-completeness_verifiedset={CBV}Disp-recalled"
        f"unset={CBV}Disp-completeness_inferred"
        "ilmd{https://example.org/ns/}bestBefore=2014-12-10{urn:epcglobal:cbv:mda}lotNumber=A"
        "{https://example.org/ns/}a=text"
        "{https://example.org/ns/}b=2{https://example.org/ns/}b=true"
        "{https://example.org/ns/}b{https://example.org/ns/}z=1"
    )


def test_sensor_elements() -> None:
    """Reports are sorted inside their element, elements among themselves; each extension ends its own parent."""
    event = head("ObjectEvent") | {
        "action": "OBSERVE",
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0", "ex:gate": "7"},
        "sensorElementList": [
            {
                "ex:note": "second",
                "sensorReport": [
                    {"type": "Temperature", "value": 26.0, "uom": "CEL", "ex:raw": "x"},
                    {"type": "AbsoluteHumidity", "exception": "ALARM_CONDITION", "component": "x", "value": 1.21e1},
                ],
                "sensorMetadata": {
                    "deviceID": "urn:epc:id:giai:4000001.111",
                    "ex:firmware": "1.10.2",
                    "time": "2020-03-04T10:00:00.00049Z",
                },
            },
            {"sensorReport": [{"type": "gs1:Speed", "booleanValue": False, "sDev": 0.10, "stringValue": "1.0"}]},
        ],
    }
    element = "sensorElement"
    assert said(event) == (
        f"eventType=ObjectEvent{HEAD}action=OBSERVE"
        f"readPointid={ID}414/4012345000054{{https://example.org/ns/}}gate=7"
        f"sensorElementList{element}sensorMetadatatime=2020-03-04T10:00:00.000ZdeviceID={ID}8004/4000001111"
        "{https://example.org/ns/}firmware=1.10.2"
        "sensorReporttype=https://gs1.org/voc/AbsoluteHumidityexception=https://gs1.org/voc/ALARM_CONDITION"
        f"value=12.1component={CBV}Comp-x"
        "sensorReporttype=https://gs1.org/voc/Temperaturevalue=26uom=CEL{https://example.org/ns/}raw=x"
        "{https://example.org/ns/}note=second"
        f"{element}sensorReporttype=https://gs1.org/voc/SpeedstringValue=1.0booleanValue=falsesDev=0.1"
    )


def test_the_hash_names_its_pre_hash_string(shipped: Event) -> None:
    """The id is the SHA-256 of the UTF-8 pre-hash string, in lower-case hexadecimal, in the form of RFC 6920."""
    digest = hashlib.sha256(said(shipped).encode()).hexdigest()
    assert event_hash(shipped, CONTEXT) == f"ni:///sha-256;{digest}?ver=CBV2.0"


def test_what_is_outside_the_hash(shipped: Event) -> None:
    """Ids, record time, error declaration and comments leave the hash alone: a retraction meets its event."""
    beside = {
        "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "recordTime": "2026-03-03T00:00:00Z",
        "errorDeclaration": {"declarationTime": "2026-03-04T00:00:00Z", "reason": "incorrect_data"},
        "certificationInfo": "https://example.org/certificate/1",
        "rdfs:comment": "said in passing",
        "@context": {"unused": "https://example.org/unused/"},
    }
    assert event_hash(shipped | beside, CONTEXT) == event_hash(shipped, CONTEXT)


SPELLINGS: list[tuple[str, Any]] = [
    ("eventTime", "2026-03-02T09:00:10.500Z"),
    ("eventTime", "2026-03-02T04:00:10.5000-05:00"),
    ("eventTime", "2026-03-02T09:00:10.50049Z"),
    ("epcList", [f"{ID}00/106141410000001580", f"{ID}01/10614141073464/21/2018"]),
    (
        "epcList",
        ["https://shop.example/x/01/10614141073464/10/LOT/21/2018?17=260930", "https://a.b/00/106141410000001580"],
    ),
    ("bizStep", "cbv:BizStep-shipping"),
    ("bizStep", "urn:epcglobal:cbv:bizstep:shipping"),
    ("bizStep", f"{CBV}BizStep-shipping"),
    ("disposition", "urn:epcglobal:cbv:disp:in_transit"),
    ("readPoint", {"id": "https://example.com/414/0614141007776"}),
    ("bizLocation", {"id": f"{ID}414/0614141007776/254/dock-2"}),
    ("sourceList", [{"source": "https://example.com/417/0614141007776", "type": "urn:epcglobal:cbv:sdt:owning_party"}]),
    ("sourceList", [{"source": "urn:epc:id:pgln:0614141.00777", "type": "cbv:SDT-owning_party"}]),
    ("quantityList", [{"uom": "KGM", "epcClass": "https://a.b/01/04012345123456/10/998877", "quantity": 2005e-1}]),
    ("action", " OBSERVE "),
]


@pytest.mark.parametrize(("field", "value"), SPELLINGS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(SPELLINGS)])
def test_spellings(shipped: Event, field: str, value: Any) -> None:
    """However one thing is spelt, the event has one hash."""
    assert event_hash(shipped | {field: value}, CONTEXT) == event_hash(shipped, CONTEXT)


def test_names_of_extensions() -> None:
    """A prefix of another name, a full IRI and a context of the event itself give the same extension."""
    event = head("ObjectEvent") | {"action": "OBSERVE", "epcList": ["urn:epc:id:sgtin:0614141.107346.1"]}
    one = event_hash(event | {"ex:a": {"ex:b": "1"}}, [{"ex": "https://example.org/ns/"}])
    renamed = event_hash(event | {"n:a": {"n:b": "1"}}, {"n": "https://example.org/ns/"})
    whole = event_hash(event | {"https://example.org/ns/a": {"https://example.org/ns/b": "1"}})
    own = event_hash(event | {"@context": {"n": {"@id": "https://example.org/ns/"}}, "n:a": {"n:b": "1"}})
    typed = event_hash(event | {"ex:a": {"ex:b": {"@value": "1", "@type": "xsd:string"}}}, CONTEXT)
    assert one == renamed == whole == own == typed
    assert one != event_hash(event | {"ex:a": {"ex:b": "1"}}, [{"ex": "https://example.org/other/"}])


KEYS = [
    ("urn:epc:id:sscc:4012345.0000000333", "00/040123450000003338"),
    ("urn:epc:id:sgtin:4012345.012345.12", "01/04012345123456/21/12"),
    ("urn:epc:id:upui:4012345.012345.AB12", "01/04012345123456/235/AB12"),
    ("urn:epc:id:gdti:4012345.55555.98", "253/401234555555498"),
    ("urn:epc:id:gdti:987659999999..9", "253/98765999999929"),
    ("urn:epc:id:sgcn:4012345.99999.44", "255/401234599999044"),
    ("urn:epc:id:ginc:4012345.333", "401/4012345333"),
    ("urn:epc:id:ginc:0614141.xyz47%2F11", "401/0614141xyz47%2F11"),
    ("urn:epc:id:gsin:4012345.999987654", "402/40123459999876541"),
    ("urn:epc:id:sgln:4012345.00011.987", "414/4012345000115/254/987"),
    ("urn:epc:id:sgln:4012345.00011.0", "414/4012345000115"),
    ("urn:epc:id:pgln:999999999999.", "417/9999999999994"),
    ("urn:epc:id:grai:4012345.66666.87", "8003/0401234566666387"),
    ("urn:epc:id:giai:4012345.AAbb", "8004/4012345AAbb"),
    ("urn:epc:id:itip:4012345.012345.01.02.999", "8006/040123451234560102/21/999"),
    ("urn:epc:id:cpi:4012345.ABC.123", "8010/4012345ABC/8011/123"),
    ("urn:epc:id:gsrnp:4012345.0000098765", "8017/401234500000987658"),
    ("urn:epc:id:gsrn:4012345.9876540000", "8018/401234598765400000"),
    ("urn:epc:class:lgtin:4054739.099914.20160711", "01/04054739999148/10/20160711"),
    ("urn:epc:idpat:sgtin:4054739.099914.*", "01/04054739999148"),
    ("urn:epc:idpat:gdti:4012345.55555.*", "253/4012345555554"),
    ("urn:epc:idpat:sgcn:4012345.99999.*", "255/4012345999990"),
    ("urn:epc:idpat:grai:4012345.66666.*", "8003/04012345666663"),
    ("urn:epc:idpat:itip:4012345.012345.01.02.*", "8006/040123451234560102"),
    ("urn:epc:idpat:cpi:4012345.ABC.*", "8010/4012345ABC"),
    ("https://example.com/gtin/09780345418913/ser/765tz?abc=211121", "01/09780345418913/21/765tz"),
    ("http://example.com/a/b/01/9780345418913/22/2A/10/L/21/x?17=201225#top", "01/09780345418913/21/x"),
    ("https://example.com/01/09780345418913/?21=4711", "01/09780345418913"),
    ("https://example.com/414/4012345000115/7040/1ABC", "414/4012345000115"),
    ("https://example.com/8017/401234500000987658/8019/1", "8017/401234500000987658"),
    ("https://example.com/a/01/9780345418914/10/L/21/x?17=1", "01/09780345418914/21/x"),
    ("https://example.com/8003/030013450007718765", "8003/030013450007718765"),
    ("https://example.com/8003/952012200000001004", "8003/952012200000001004"),
]


@pytest.mark.parametrize(("written", "key"), KEYS, ids=[key for _, key in KEYS])
def test_identifiers(written: str, key: str) -> None:
    """Every EPC, class and pattern URN, and every Digital Link, is the link on id.gs1.org with its finest key alone."""
    event = head("ObjectEvent") | {"action": "OBSERVE", "epcList": [written], "ex:made_by": written}
    assert said(event) == (
        f"eventType=ObjectEvent{HEAD}epcListepc={ID}{key}action=OBSERVE{{https://example.org/ns/}}made_by={ID}{key}"
    )


@pytest.mark.parametrize(
    "written",
    [
        "urn:epc:id:bic:CSQU3054383",
        "urn:uuid:1",
        "geo:50.9,6.9",
        "https://example.com/?a=1",
        "https://a.b/01/7",
        "https://a.b/c/",
        "https://[::1/01/7/21/x",
    ],
)
def test_other_identifiers(written: str) -> None:
    """A URI that has no GS1 key stays as it is written."""
    event = head("ObjectEvent") | {"action": "OBSERVE", "epcList": [written]}
    assert said(event) == f"eventType=ObjectEvent{HEAD}epcListepc={written}action=OBSERVE"


def test_compact_names_in_extensions() -> None:
    """A compact IRI that an extension holds is written in full; a sentence with a colon is none."""
    event = head("ObjectEvent") | {"action": "OBSERVE", "epcList": []}
    held = {"ex:a": "other:b", "ex:c": {"@id": "ex:d"}, "ex:e": "ex: a note", "ex:f": "unknown:g"}
    ns = "https://example.org/ns/"
    assert said(event | held) == (
        f"eventType=ObjectEvent{HEAD}action=OBSERVE{{{ns}}}a=urn:example:other:b{{{ns}}}c={ns}d"
        f"{{{ns}}}e=ex: a note{{{ns}}}f=unknown:g"
    )


def test_a_named_thing_with_members() -> None:
    """What is said of a thing that has an id counts beside the id; the id alone is a value."""
    event = head("ObjectEvent") | {"action": "OBSERVE", "epcList": []}
    held = {"ex:a": {"@id": "ex:thing", "@type": "ex:T", "ex:b": 1, "ex:c": [{"@id": "urn:x:1", "ex:d": "2"}]}}
    ns = "https://example.org/ns/"
    assert said(event | held) == (
        f"eventType=ObjectEvent{HEAD}action=OBSERVE{{{ns}}}a={ns}thing{{{ns}}}b=1{{{ns}}}c=urn:x:1{{{ns}}}d=2"
    )


def test_names_without_a_namespace() -> None:
    """Inside an extension a bare name stays bare, and what is empty is its name alone."""
    event = head("ObjectEvent") | {"action": "OBSERVE", "epcList": [], "ex:a": {"b": {"c": "1", "d": ""}, "e": []}}
    assert said(event) == f"eventType=ObjectEvent{HEAD}action=OBSERVE{{https://example.org/ns/}}abc=1d"


def test_codes_stay_codes() -> None:
    """Lot 1.10 is not lot 1.1, and 007 is not 7; a measure 1.10 is 1.1."""
    event = head("ObjectEvent") | {"action": "ADD", "epcList": ["urn:epc:id:sgtin:0614141.107346.1"]}

    def of(name: str, value: Any) -> str:
        return event_hash(event | {"ilmd": {name: value}}, CONTEXT)

    assert of("cbvmda:lotNumber", "1.10") != of("cbvmda:lotNumber", "1.1")
    assert of("cbvmda:lotNumber", "007") != of("cbvmda:lotNumber", "7")
    assert of("cbvmda:netWeight", "1.10") == of("cbvmda:netWeight", 1.1) == of("cbvmda:netWeight", "1.1")


def test_any_change_changes_the_hash(shipped: Event) -> None:
    """Every member of an event counts: another value or none at all gives another hash."""
    shipped = shipped | {"ex:a": "1", "persistentDisposition": {"set": ["recalled"]}}
    found = {event_hash(shipped, CONTEXT)}
    for name in [name for name in shipped if name not in ("type", "eventTime")]:
        without = {key: value for key, value in shipped.items() if key != name}
        found.add(event_hash(without, CONTEXT))
    found.add(event_hash(shipped | {"eventTime": "2026-03-02T09:00:10.501Z"}, CONTEXT))
    unset = {"persistentDisposition": {"unset": ["recalled"]}}
    found.add(event_hash(shipped | unset, CONTEXT))
    deep = copy.deepcopy(shipped)
    deep["bizTransactionList"][0]["type"] = "inv"
    found.add(event_hash(deep, CONTEXT))
    assert len(found) == len(shipped) + 2


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("2023-01-18T11:04:03.1415Z", "2023-01-18T11:04:03.142Z"),
        ("2023-01-18T11:04:03.1414999Z", "2023-01-18T11:04:03.141Z"),
        ("2023-12-31T23:59:59.9995Z", "2024-01-01T00:00:00.000Z"),
        ("2024-02-29T00:30:00+01:00", "2024-02-28T23:30:00.000Z"),
    ],
)
def test_rounding_of_times(written: str, canonical: str) -> None:
    """Times have three decimals; a fourth digit of 5 to 9 rounds up, across a new year if need be."""
    event = head("ObjectEvent") | {"action": "OBSERVE", "epcList": [], "eventTime": written}
    assert f"eventTime={canonical}eventTimeZoneOffset" in said(event)


def observed(time: str, **members: Any) -> Event:
    return {
        "type": "ObjectEvent",
        "eventTime": time,
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "bizStep": "inspecting",
    } | members


OBJECTS = [uri for uri, _ in KEYS if uri.startswith("urn:epc:id:") and ":4012345." in uri and ":sgln:" not in uri]
EXAMPLE = {"example": "https://ns.example.com/epcis/"}
# hash ids that the reference implementation of CBV 2.0 publishes (RalphTro/epcis-event-hash-generator, expected/CBV2.0)
PUBLISHED: list[tuple[str, Event]] = [
    (
        "6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7",
        observed(
            "2020-03-04T11:00:30.000+01:00",
            recordTime="2020-03-04T11:00:30.999+01:00",
            epcList=[f"urn:epc:id:sscc:4012345.0000000{serial}" for serial in (333, 111, 222)],
            bizStep="departing",
            readPoint={"id": "urn:epc:id:sgln:4012345.00011.987"},
        )
        | {"example:myField1": {"example:mySubField1": "2", "example:mySubField2": "5"}}
        | {"example:myField2": "0", "example:myField3": {"example:mySubField3": ["3", "1"]}},
    ),
    (
        "40744f32beff53a4bf5bb5956d465cb52de5bbcc9f131409d8efb903b04d9351",
        observed(
            "2023-03-27T11:30:00.0Z",
            epcList=[*OBJECTS, "https://id.gs1.org/00/040123450000003338"],
            quantityList=[{"epcClass": uri} for uri, _ in KEYS if ":class:" in uri or ":idpat:" in uri],
            bizStep="other",
            readPoint={"id": "urn:epc:id:sgln:4012345.00011.987"},
        ),
    ),
    (
        "af7658e711574363633f20b3dadc7bc4c13c6f612cf96d95e03c421c0e58f3c6",
        observed(
            "2023-02-02T11:04:03.1415Z",
            epcList=["https://id.gs1.de/00/040123451111111110"],
            bizStep="shipping",
            disposition="in_transit",
            readPoint={"id": "https://id.gs1.de/414/4012345000115"},
        ),
    ),
    (
        "0550df44527332c1fe417c5837fe61b9e71eaa93307b88519dac549bf2d4dcf9",
        observed(
            "2023-02-02T11:04:03.1414Z",
            epcList=["https://id.gs1.de/00/040123451111111110"],
            bizStep="transporting",
            readPoint={"id": "geo:50.947573340894124,6.922120147375441"},
        ),
    ),
    (
        "b3d481c5590757ab8361a6cb0e924820feb3b61eb568e7d7703f21a96f76f51d",
        observed(
            "2019-10-21T14:45:00Z",
            epcList=["https://id.gs1.org/00/040123451111111127"],
            disposition="in_progress",
            readPoint={"id": "https://id.gs1.org/414/4012345000245/254/1"},
        ),
    ),
]


@pytest.mark.parametrize(("digest", "event"), PUBLISHED, ids=[digest[:8] for digest, _ in PUBLISHED])
def test_published_hashes(digest: str, event: Event) -> None:
    """Events whose hash ids are published have these hash ids."""
    assert event_hash(event, EXAMPLE) == f"ni:///sha-256;{digest}?ver=CBV2.0"


def test_published_files_of_one_event(shared_data: Path, xml_events: Callable[[Path], list[Node]]) -> None:
    """The JSON file and its XML siblings say one thing and have one hash; the one in another zone has another.

    File 2 is called identical by its comment, but gives eventTimeZoneOffset another value, which is hashed.
    """
    folder = shared_data / "epcis"
    (event,) = parse_document((folder / "json/WithEventHashID/event_with_identical_hash_id_7.json").read_bytes())
    hashes = {}
    for number in range(1, 7):
        (tree,) = xml_events(folder / f"xml/WithEventHashID/event_with_identical_hash_id_{number}.xml")
        hashes[number] = hash_of(tree)
    assert {hashes[number] for number in (1, 3, 4, 5, 6)} == {event.event_hash}
    assert hashes[2] != event.event_hash


def test_a_context_inside(shipped: Event) -> None:
    """A @context inside a member names what stands in it, and says nothing itself."""
    inside = {"@context": {"n": "https://example.org/ns/"}, "id": "urn:x:y"}
    sensed = {"@context": None, "sensorReport": [{"@context": {}, "type": "Speed"}]}
    other = shipped | {"readPoint": inside | {"n:gate": "7"}, "sensorElementList": [sensed]}
    plain = shipped | {
        "readPoint": {"id": "urn:x:y", "ex:gate": "7"},
        "sensorElementList": [{"sensorReport": [{"type": "Speed"}]}],
    }
    assert event_hash(other, CONTEXT) == event_hash(plain, CONTEXT)
