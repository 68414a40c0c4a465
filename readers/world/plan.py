"""What happens in the world, and what is true afterwards. The truth is kept by moving things, not by reading them.

Sixteen lots of tagged items on pallets go from the plant through the centre to three stores; four lots of a product
by weight, whose cases carry only a GS1-128 label, go the same way. Nothing here knows how lotstream decides.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from lotstream.readers.world.site import CENTRE, COMPANY, PARTY, PLANT, PLANT_GLN, ROAD, STORES, YARD
from lotstream.schemas.identifiers import check_digit, lot_key

START_US = 1_763_359_200_000_000  # 2025-11-17T06:00:00Z
MINUTE_US = 60_000_000
ITEM_REFERENCE = "107346"
ITEM_GTIN = "10614141073464"
WEIGHT_GTIN = "90614141000411"
IN_TRANSIT = "in_transit"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it there is. The defaults are the demo's."""

    lots: int = 16
    pallets: int = 10
    items: int = 50  # on a pallet
    reads: int = 10  # of a tag at a door, on average
    weight_lots: int = 4
    cases: int = 60


@dataclass(frozen=True, slots=True)
class Pallet:
    """A logistic unit with what is on it."""

    sscc: str
    items: tuple[int, ...]  # serials


@dataclass(frozen=True, slots=True)
class TaggedLot:
    """A lot of tagged items."""

    code: str
    expires: date
    pallets: tuple[Pallet, ...]

    @property
    def key(self) -> str:
        """Its lot key."""
        return lot_key(ITEM_GTIN, self.code)


@dataclass(frozen=True, slots=True)
class WeightLot:
    """A lot of a product by weight: one label per case."""

    code: str
    best_before: date
    cases: tuple[Decimal, ...]  # kg on each label

    @property
    def key(self) -> str:
        """Its lot key."""
        return lot_key(WEIGHT_GTIN, self.code)


@dataclass(slots=True)
class Truth:
    """Of one lot: what is where, and who was sent some."""

    made: Decimal = Decimal(0)
    items: Counter[tuple[str, str]] = field(default_factory=Counter)  # (location, disposition)
    amounts: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent: dict[tuple[str, str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def move(self, number: int, source: tuple[str, str], target: tuple[str, str]) -> None:
        """Items go from one place to another."""
        self.items[source] -= number
        self.items[target] += number

    def carry(self, amount: Decimal, source: tuple[str, str], target: tuple[str, str]) -> None:
        """One case goes from one place to another."""
        self.amounts[source] -= amount
        self.amounts[target] += amount
        self.cases[source] -= 1
        self.cases[target] += 1


@dataclass(frozen=True, slots=True)
class Passage:
    """A pallet, or loose items, passes a read point."""

    reader: str
    at_us: int
    tags: tuple[str, ...]  # EPC hex
    inward: bool | None  # None: not a portal
    missed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LabelScan:
    """A case label is scanned."""

    scanner: str
    at_us: int
    data: str
    sequence: int
    document: str = ""
    line: str = ""
    party: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """The ERP says what happened, as an EPCIS event; a late one is said when the goods are long gone."""

    event: dict[str, object]
    late: bool = False


Happening = Passage | LabelScan | Booking


class World:
    """One run of the world: deterministic for a seed and a scale."""

    def __init__(self, scale: Scale | None = None, *, seed: int = 1) -> None:
        self.scale = scale or Scale()
        self.random = random.Random(seed)  # noqa: S311 - a simulation
        self.truth: dict[str, Truth] = {}
        self._sequence: Counter[str] = Counter()
        self._pallets = 0
        self.tagged = [self._tagged_lot(number) for number in range(self.scale.lots)]
        self.weighed = [self._weight_lot(number) for number in range(self.scale.weight_lots)]

    def _tagged_lot(self, number: int) -> TaggedLot:
        size = self.scale.items
        first = 100_000 + number * self.scale.pallets * size
        pallets = []
        for index in range(self.scale.pallets):
            start = first + index * size
            pallets.append(Pallet(self._sscc(), tuple(range(start, start + size))))
        lot = TaggedLot(f"B2511{number + 1:02d}", date(2026, 3, 1) + timedelta(days=number), tuple(pallets))
        self.truth[lot.key] = Truth(made=Decimal(self.scale.pallets * size))
        return lot

    def _weight_lot(self, number: int) -> WeightLot:
        cases = tuple(Decimal(self.random.randrange(9_000, 15_000)) / 1000 for _ in range(self.scale.cases))
        lot = WeightLot(f"W2511-{number + 1}", date(2025, 12, 20) + timedelta(days=number), cases)
        self.truth[lot.key] = Truth(made=sum(cases, Decimal(0)))
        return lot

    def _sscc(self) -> str:
        self._pallets += 1
        body = f"1{COMPANY}{self._pallets:09d}"
        return f"{body}{check_digit(body)}"

    def happenings(self) -> Iterator[Happening]:
        """Everything in order of time, per lot; the truth moves along."""
        for number, lot in enumerate(self.tagged):
            yield from TaggedStory(self, lot, START_US + number * 20 * MINUTE_US).tell()
        for number, weight_lot in enumerate(self.weighed):
            yield from self._weight_story(weight_lot, START_US + number * 30 * MINUTE_US)

    def _weight_story(self, lot: WeightLot, start: int) -> Iterator[Happening]:
        truth = self.truth[lot.key]
        plant, moving, centre = (PLANT, ""), (CENTRE, IN_TRANSIT), (CENTRE, "")
        labels = [_label(lot, kilograms) for kilograms in lot.cases]
        steps: list[tuple[str, int]] = [("scale", 0), ("plant-desk", 120), ("centre-desk", 300)]
        for scanner, minutes in steps:
            for index, data in enumerate(labels):
                yield self._scan(scanner, start + minutes * MINUTE_US + index * 3_000_000, data)
        for kilograms in lot.cases:
            truth.amounts[plant] += kilograms
            truth.cases[plant] += 1
            truth.carry(kilograms, plant, moving)
            truth.carry(kilograms, moving, centre)
        yield from self._weight_to_stores(lot, start + 480 * MINUTE_US)

    def _weight_to_stores(self, lot: WeightLot, start: int) -> Iterator[Happening]:
        truth = self.truth[lot.key]
        third = len(lot.cases) // 3
        shares = ((STORES[0], lot.cases[:third]), (STORES[2], lot.cases[third : 2 * third]))
        document = despatch(f"DN-{lot.code}")
        for line, (store, cases) in enumerate(shares, 1):
            for index, kilograms in enumerate(cases):
                yield self._scan(
                    f"centre-ship-{STORES.index(store) + 1}",
                    start + index * 3_000_000,
                    _label(lot, kilograms),
                    document=document,
                    line=str(line),
                    party=PARTY[store],
                )
                truth.carry(kilograms, (CENTRE, ""), (store, IN_TRANSIT))
                truth.sent[PARTY[store], document, str(line)] += kilograms
        for index, kilograms in enumerate(lot.cases[:third]):
            yield self._scan("store-1-desk", start + 60 * MINUTE_US + index * 3_000_000, _label(lot, kilograms))
            truth.carry(kilograms, (STORES[0], IN_TRANSIT), (STORES[0], ""))

    def _scan(
        self, scanner: str, at_us: int, data: str, *, document: str = "", line: str = "", party: str = ""
    ) -> LabelScan:
        self._sequence[scanner] += 1
        return LabelScan(scanner, at_us, data, self._sequence[scanner], document, line, party)


class TaggedStory:
    """What happens to one lot of tagged items."""

    def __init__(self, world: World, lot: TaggedLot, start_us: int) -> None:
        self.world, self.lot, self.start = world, lot, start_us
        self.truth = world.truth[lot.key]
        shares = len(lot.pallets)
        self.to_store = {
            STORES[0]: lot.pallets[: shares * 3 // 10],
            STORES[1]: lot.pallets[shares * 3 // 10 : shares * 6 // 10],
            STORES[2]: lot.pallets[shares * 6 // 10 : shares * 8 // 10],
        }

    def tell(self) -> Iterator[Happening]:
        """Commission, pack, leave the plant, arrive at the centre, go to the stores."""
        yield Booking(commissioning(self.lot, at_us=self.start))
        for index, pallet in enumerate(self.lot.pallets):
            at = self.start + (5 + index) * MINUTE_US
            yield Passage("impinj-line", at, item_tags(pallet), None)
            # one packing list in ten comes when the pallet is long gone
            yield Booking(packing(pallet, at_us=at + MINUTE_US // 2), late=index == 1)
            self.truth.items[PLANT, ""] += len(pallet.items)
        yield from self._leave("impinj-plant", self.start + 60 * MINUTE_US, self.lot.pallets, (PLANT, ""), (YARD, ""))
        yield Booking(
            shipping(
                at_us=self.start + 80 * MINUTE_US,
                store=CENTRE,
                document=f"DN-C{self.lot.code}",
                line="1",
                pallets=self.lot.pallets,
            )
        )
        self._move(self.lot.pallets, (YARD, ""), (CENTRE, IN_TRANSIT))
        self._sent(CENTRE, f"DN-C{self.lot.code}", "1", self.lot.pallets)
        yield from self._arrive(
            "zebra-centre-in", self.start + 200 * MINUTE_US, self.lot.pallets, (CENTRE, IN_TRANSIT), (CENTRE, "")
        )
        yield from self._to_stores(self.start + 400 * MINUTE_US)

    def _to_stores(self, start: int) -> Iterator[Happening]:
        for number, (store, pallets) in enumerate(self.to_store.items()):
            at = start + number * 30 * MINUTE_US
            yield from self._leave("impinj-centre-out", at, pallets, (CENTRE, ""), (ROAD, ""))
            for line, pallet in enumerate(pallets):
                document = f"DN-{self.lot.code}-{number + 1}"
                yield Booking(
                    shipping(
                        at_us=at + 15 * MINUTE_US, store=store, document=document, line=str(line + 1), pallets=(pallet,)
                    )
                )
                self._sent(store, document, str(line + 1), (pallet,))
            self._move(pallets, (ROAD, ""), (store, IN_TRANSIT))
            if store != STORES[2]:  # that truck is still on the road
                yield from self._arrive(
                    f"zebra-store-{number + 1}", at + 90 * MINUTE_US, pallets, (store, IN_TRANSIT), (store, "")
                )

    def _leave(
        self, reader: str, at: int, pallets: tuple[Pallet, ...], source: tuple[str, str], target: tuple[str, str]
    ) -> Iterator[Happening]:
        yield from self._pass(reader, at, pallets, inward=False)
        self._move(pallets, source, target)

    def _arrive(
        self, reader: str, at: int, pallets: tuple[Pallet, ...], source: tuple[str, str], target: tuple[str, str]
    ) -> Iterator[Happening]:
        yield from self._pass(reader, at, pallets, inward=True)
        self._move(pallets, source, target)

    def _pass(self, reader: str, at: int, pallets: tuple[Pallet, ...], *, inward: bool) -> Iterator[Happening]:
        for index, pallet in enumerate(pallets):
            items = item_tags(pallet)
            # tags behind metal or water are not read; once, none of them is
            share = 1.0 if index == 2 and not inward else 0.03
            missed = frozenset(tag for tag in items if self.world.random.random() < share)
            yield Passage(reader, at + index * MINUTE_US, (*items, pallet_tag(pallet)), inward, missed)

    def _move(self, pallets: tuple[Pallet, ...], source: tuple[str, str], target: tuple[str, str]) -> None:
        self.truth.move(sum(len(pallet.items) for pallet in pallets), source, target)

    def _sent(self, store: str, document: str, line: str, pallets: tuple[Pallet, ...]) -> None:
        self.truth.sent[PARTY[store], despatch(document), line] += sum(len(pallet.items) for pallet in pallets)


def item_tags(pallet: Pallet) -> tuple[str, ...]:
    """SGTIN-96 of the items (TDS 2.x section 14.6.1): filter 1, partition 5 (company prefix of 7 digits)."""
    company, reference = int(COMPANY), int(ITEM_REFERENCE)
    head = 0x30 << 88 | 1 << 85 | 5 << 82 | company << 58 | reference << 38
    return tuple(f"{head | serial:024X}" for serial in pallet.items)


def pallet_tag(pallet: Pallet) -> str:
    """SSCC-96 of a pallet (TDS 2.x section 14.6.2): filter 0, partition 5."""
    serial_reference = int(pallet.sscc[0] + pallet.sscc[8:17])
    return f"{0x31 << 88 | 5 << 82 | int(COMPANY) << 58 | serial_reference << 24:024X}"


def _item_urn(serial: int) -> str:
    return f"urn:epc:id:sgtin:{COMPANY}.{ITEM_REFERENCE}.{serial}"


def _pallet_urn(pallet: Pallet) -> str:
    return f"urn:epc:id:sscc:{COMPANY}.{pallet.sscc[0]}{pallet.sscc[8:17]}"


def _link(key: str) -> str:
    return f"https://id.gs1.org/{key}"


def _transaction(number: str) -> str:
    """CBV 2.0 section 8.5.2: business transaction identifier, as a URN of the issuer's GLN and its own number."""
    return f"urn:epcglobal:cbv:bt:{PLANT_GLN}:{number}"


def despatch(number: str) -> str:
    """A despatch advice as answers name it: type and identifier."""
    return f"desadv:{_transaction(number)}"


def _label(lot: WeightLot, kilograms: Decimal) -> str:
    """GS1-128 with AIM prefix: GTIN, net weight in kg (310n), best before, lot."""
    return f"]C101{WEIGHT_GTIN}3103{int(kilograms * 1000):06d}15{lot.best_before:%y%m%d}10{lot.code}"


def _event(kind: str, at_us: int, **fields: object) -> dict[str, object]:
    seconds, rest = divmod(at_us, 1_000_000)
    stamp = date(1970, 1, 1) + timedelta(days=seconds // 86_400)
    clock = f"{seconds % 86_400 // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}.{rest // 1000:03d}Z"
    return {"type": kind, "eventTime": f"{stamp}T{clock}", "eventTimeZoneOffset": "+00:00", **fields}


def commissioning(lot: TaggedLot, *, at_us: int) -> dict[str, object]:
    """The lot's items get their identity."""
    serials = [serial for pallet in lot.pallets for serial in pallet.items]
    return _event(
        "ObjectEvent", at_us, action="ADD", bizStep="commissioning", disposition="active",
        epcList=[_item_urn(serial) for serial in serials],
        readPoint={"id": _link(PLANT)}, bizLocation={"id": _link(PLANT)},
        ilmd={
            "cbvmda:lotNumber": lot.code,
            "cbvmda:itemExpirationDate": lot.expires.isoformat(),
            "cbvmda:descriptionShort": "Ready meal, 400 g",
        },
    )  # fmt: skip


def packing(pallet: Pallet, *, at_us: int) -> dict[str, object]:
    """Items are packed on a pallet."""
    return _event(
        "AggregationEvent", at_us, action="ADD", bizStep="packing", parentID=_pallet_urn(pallet),
        childEPCs=[_item_urn(serial) for serial in pallet.items], readPoint={"id": _link(PLANT)},
    )  # fmt: skip


def shipping(
    *,
    at_us: int,
    store: str,
    document: str,
    line: str,
    pallets: tuple[Pallet, ...],
) -> dict[str, object]:
    """Pallets leave for a store on a line of a despatch advice."""
    source = PLANT if store == CENTRE else CENTRE
    return _event(
        "ObjectEvent", at_us, action="OBSERVE", bizStep="shipping", disposition="in_transit",
        epcList=[_pallet_urn(pallet) for pallet in pallets],
        readPoint={"id": _link(source)},
        bizTransactionList=[{"type": "desadv", "bizTransaction": _transaction(document)}],
        sourceList=[{"type": "location", "source": _link(source)}],
        destinationList=[
            {"type": "owning_party", "destination": _link(PARTY[store])},
            {"type": "location", "destination": _link(store)},
        ],
        **{"lotstream:documentLine": line},
    )  # fmt: skip
