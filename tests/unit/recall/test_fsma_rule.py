"""The elements of the rule."""

import json
from pathlib import Path

from lotstream.recall.fsma_facts import FACTS
from lotstream.recall.fsma_rule import CFR, KDES, LOCATION_MEMBERS, Cte, Need, columns


def test_every_fact_stands_for_an_element() -> None:
    """The table names elements of the rule only, and every required one that facts can say."""
    for cte in Cte:
        names = {kde.name for kde in KDES[cte]}
        assert FACTS[cte].keys() == names
        assert CFR[cte].startswith("1.13")


def test_columns() -> None:
    """A location takes one column a member, anything else one."""
    assert len(columns(Cte.SHIPPING)) == 8 + 3 * len(LOCATION_MEMBERS)
    groups = {kde.group for kdes in KDES.values() for kde in kdes if kde.need is Need.ONE_OF}
    assert groups == {"harvest_place", "food_name", "tlc_source"}


def test_equals_the_collected_facts(shared_data: Path) -> None:
    """Elements, order, types, needs and columns are those of the collected facts of the regulation."""
    collected = json.loads((shared_data / "fsma" / "kde.json").read_text(encoding="utf-8"))
    assert tuple(collected["location_members"]) == LOCATION_MEMBERS
    assert set(collected["cte"]) == set(Cte)
    for cte in Cte:
        theirs = [(kde["kde"], kde["type"], kde["required"], kde.get("group", "")) for kde in collected["cte"][cte]]
        assert [(kde.name, kde.type, kde.need, kde.group) for kde in KDES[cte]] == theirs
        assert columns(cte) == tuple(collected["spreadsheet_columns"][cte])
