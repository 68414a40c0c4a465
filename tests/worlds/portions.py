"""What pallets hold by class, as things of their own: so much of a lot in a unit goes where the unit goes.

A part of the oracle.
"""

from collections.abc import Iterator
from dataclasses import replace

from tests.worlds.world import Event, Fact, Kind, Label, World, lot


def with_portions(world: World) -> Iterator[Fact]:
    """What a pallet holds of a lot by class goes where the pallet goes: a thing of its own inside it, of that lot."""
    for fact in world:
        if isinstance(fact, Label):
            key = portion(fact.unit, fact.lot)
            yield Event(name=_name(fact), kind=Kind.PACK, at=fact.at, parent=fact.unit, tags=(key,))
            yield Event(name=f"made {_name(fact)}", kind=Kind.MAKE, at=fact.at, tags=(key,), lot=fact.lot)
        elif not (isinstance(fact, Event) and fact.amounts and fact.kind in (Kind.PACK, Kind.UNPACK)):
            yield fact
        elif fact.kind is Kind.UNPACK:  # amounts taken out leave the rest
            yield fact if fact.tags else replace(fact, tags=("nothing",))
        else:
            portions = tuple(portion(fact.parent, code) for code, _ in fact.amounts)
            yield replace(fact, tags=fact.tags + portions)
            for key, (code, _) in zip(portions, fact.amounts, strict=True):
                made = {"kind": Kind.MAKE, "name": f"{fact.name} {code}", "tags": (key,), "lot": code}
                yield replace(fact, location="", amounts=(), parent="", **made)


def _name(label: Label) -> str:
    return f"label {label}"


def portion(parent: str, code: str) -> str:
    return f"02/{lot(code)[3:]}/{parent}"


def is_portion(tag: str) -> bool:
    return tag.startswith("02/")
