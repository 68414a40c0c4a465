"""Worlds for a recall: units and class-level lots, made, packed, used up, shipped on document lines, returned."""

from collections.abc import Iterator
from dataclasses import replace

from tests.worlds.world import HAPPENINGS, LOTS, ODD, SERIALS, Event, Fact, Kind, Maker, World, pallet, tag

CLASSES = ("Q", "R", "S")
PARTIES = ("417/0614141001011", "417/0614141001028", "")
TOTE = pallet(9)
LOST = 0.05
SUPPLIERS = ("S1", "S2")  # codes that their lots bear there


class RecallMaker(Maker):
    """Makes one world from a seed: what `make worlds` has in it, and what a recall asks for besides."""

    happenings = HAPPENINGS

    def world(self) -> World:
        """Facts in the order in which they are received, some of which never are."""
        facts = list(super().world())
        for code in CLASSES:
            facts += self._event(Kind.MAKE, at=self._at(), amounts=((code, 100),), location=self._maybe("plant"))
        for _ in range(self._chance.randrange(4, 16)):
            facts += self._deed()
        kept = [fact for fact in facts if self._chance.random() >= LOST]
        made = dict.fromkeys(fact.name for fact in kept if isinstance(fact, Event) and fact.kind is Kind.MAKE)
        codes = {name: self._chance.choice((*SUPPLIERS, "")) for name in made}
        return tuple(
            replace(fact, told=number, supplier=codes.get(fact.name, "")) if isinstance(fact, Event) else fact
            for number, fact in enumerate(dict.fromkeys(kept))
        )

    def _deed(self) -> Iterator[Fact]:
        what = self._chance.choice(
            ("process", "process", "ship", "ship", "receive", "return", "pack", "unpack", "unit")
        )
        at, goods = self._at(), self._moved()
        if what == "process":
            yield from self._process(at)
        elif what == "ship":
            yield from self._ship(at, goods)
        elif what in ("receive", "return"):
            kind = Kind(what)
            source = self._chance.choice(("store", "")) if kind is Kind.RETURN else ""
            place = self._chance.choice(("store", "plant"))
            papers = self._papers() if self._chance.random() < 0.5 else {}
            yield from self._event(kind, at=at, location=place, source=source, **goods, **papers)
        elif what == "unit":
            yield from super()._happening()
        else:
            amounts = self._amounts(1)
            yield from self._event(
                Kind(what), at=at, parent=self._pallet(), amounts=amounts, tags=self._units(0, 2), location=self._hall()
            )

    def _process(self, at: int) -> Iterator[Fact]:
        """Lots, units and pallets become others; at times of one run that several events tell of, or of themselves."""
        named = self._chance.random() < 0.3
        yield from self._event(
            Kind.TRANSFORM,
            at=at,
            used=self._units(0, 2) + ((self._pallet(),) if self._chance.random() < 0.4 else ()),
            used_amounts=self._amounts(2),
            tags=self._units(0, 2) if named else (TOTE,) if self._chance.random() < 0.2 else (),
            lot=self._chance.choice(LOTS) if named else "",
            amounts=self._amounts(2),
            process=self._chance.choice(("", "", "run1", "run2")),
            location=self._hall(),
        )

    def _ship(self, at: int, goods: dict[str, object]) -> Iterator[Fact]:
        """A shipment, and sometimes its correction: declared wrong, and told again with another amount."""
        papers = self._papers()
        facts = list(self._event(Kind.SHIP, at=at, location="store", source=self._hall(), **goods, **papers))
        yield from facts
        first = facts[0]
        if isinstance(first, Event) and self._chance.random() < 0.3:
            less = tuple((code, amount - 1) for code, amount in first.amounts)
            yield replace(first, wrong=True)
            yield replace(first, name=f"{first.name}again", amounts=less, revision=1 if first.line else 0)

    def _papers(self) -> dict[str, object]:
        chance = self._chance
        return {
            "document": chance.choice(("7", "8", "")),
            "line": chance.choice(("1", "2", "")),
            "party": chance.choice(PARTIES),
        }

    def _goods(self, kind: Kind) -> Iterator[Fact]:
        """Counts, and what `make worlds` does to kilograms, it holds against books of its own."""
        del kind
        yield from ()

    def _moved(self) -> dict[str, object]:
        """Units, a pallet with what is in it, or amounts."""
        return self._chance.choice(
            ({"tags": self._units(1, 3)}, {"tags": (self._pallet(),)}, {"amounts": self._amounts(2) or (("R", 5),)})
        )

    def _units(self, least: int, most: int) -> tuple[str, ...]:
        every = [*map(tag, range(1, SERIALS + 1)), tag(ODD)]
        return tuple(self._chance.sample(every, self._chance.randint(least, most)))

    def _amounts(self, most: int) -> tuple[tuple[str, int], ...]:
        codes = self._chance.sample((*CLASSES, *LOTS), self._chance.randint(0, most))
        return tuple((code, self._chance.randint(2, 20)) for code in codes)

    def _pallet(self) -> str:
        return self._chance.choice((pallet(1), pallet(2), TOTE))

    def _hall(self) -> str:
        return self._chance.choice(("plant", "hall", "store", ""))
