"""docs/stable.md names what there is."""

import re
from pathlib import Path

import pytest

from lotstream.cli import COMMANDS, exits
from lotstream.schemas.topics import TOPICS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "stable.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_exit_codes_are_those_of_the_program() -> None:
    """Every code with its name is on the page, and no other name."""
    own = {name: value for name, value in vars(exits).items() if name.startswith("EXIT_")}
    said = {name: int(code) for code, name in re.findall(r"^\| (\d+) \| `(EXIT_\w+)` \|", section("Exit codes"), re.M)}
    assert said == own


def test_answers_are_those_that_are_published() -> None:
    """Every published schema of an answer is on the page with a command that there is."""
    kinds = {path.stem for path in (ROOT / "docs" / "schemas" / "answers").glob("*.json")}
    rows = re.findall(r"^\| \[`(\w+)`\]\((\S+)\) \| `lotstream (\w+)", section("`--json`"), re.M)
    assert {kind for kind, _, _ in rows} == kinds
    assert all((ROOT / "docs" / link).is_file() and command in COMMANDS for _, link, command in rows)


def test_views_are_made_by_migrations() -> None:
    """Each view on the page is made by a migration."""
    made = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "sinks" / "migrations").glob("*.sql"))
    views = re.findall(r"^\| `(\w+)` \|", section("SQL"), re.M)
    assert views
    assert [name for name in views if f"VIEW IF NOT EXISTS ${{database}}.{name} " not in made] == []


def test_topics_are_those_of_the_table() -> None:
    """Each topic on the page is in the table, and those that anyone may read are all there."""
    said = set(re.findall(r"`([\w-]+\.v\d+)`", section("Topics and their messages")))
    assert said <= {topic.name for topic in TOPICS}
    assert {topic.name for topic in TOPICS if "anyone" in topic.readers} <= said


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    """Every link to a file of the project leads to one, and to a heading that it has."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, target


def test_commands_of_the_readme_exist() -> None:
    """Every `lotstream WORD` in the README is a command."""
    assert set(re.findall(r"`lotstream (\w+)", README)) <= set(COMMANDS)
