"""Dead letters as people read them."""

from collections import Counter

from rich.console import Console
from rich.markup import escape

from lotstream.cli.dlq_answers import DeadLetterDeeds, DeadLetters, DeadLetterShown
from lotstream.cli.tables import instant, table
from lotstream.readers.letters import State

SHOWN_DEEDS = 20
_ROW = 16


def show_list(answer: DeadLetters, out: Console) -> None:
    """The groups, then single letters."""
    closed = f"{answer.replayed:,} replayed, {answer.dropped:,} dropped"
    if not answer.groups:
        dealt_with = f"No open dead letters ({closed}; --all lists them)."
        out.print(dealt_with if answer.replayed or answer.dropped else _NONE, soft_wrap=True)
        return
    groups = table("", "letters", "reason", "source", "stage", "newest", right=("letters",))
    for g in answer.groups:
        groups.add_row(f"{g.letters:,}", g.reason, g.source, g.stage, instant(g.newest_at))
    out.print(groups)
    out.print()
    for row in answer.letters:
        place = row.id.split(":", 1)[1]
        state = "" if row.state is State.OPEN else f"  {row.state}"
        words = f"{instant(row.at)}  {row.reason}  {row.source}  {row.origin}{state}"
        out.print(f"[bold]{place}[/bold]  {escape(words)}", soft_wrap=True)
        out.print(f"      {row.field}{': ' if row.field else ''}{row.detail}", markup=False, soft_wrap=True)
    more = f"; the newest {len(answer.letters):,} are listed, --limit shows more" if answer.truncated else ""
    out.print(f"{answer.open:,} open, {closed}{more}. In full: lotstream dlq show ID", soft_wrap=True)


_NONE = "No dead letters: everything that came in was understood, or a filter leaves out what was not."


def show_letter(answer: DeadLetterShown, out: Console, *, as_hex: bool) -> None:
    """One letter, its bytes last."""
    letter = answer.letter
    facts = table("", "", "")
    facts.show_header = False
    for name, value in {
        "letter": letter.id,
        "state": letter.state,
        "reason": letter.reason,
        "field": letter.field,
        "what is wrong": letter.detail,
        "source": letter.source,
        "refused by": letter.stage,
        "origin": letter.origin,
        "received": instant(answer.received_at),
        "written": instant(letter.at),
        "a replay of": letter.replay_of,
        **{f"said: {name}": value for name, value in answer.headers.items()},
        **{f"{deed.action} by {deed.by}": f"{instant(deed.at)} {deed.why} {deed.result}" for deed in answer.deeds},
    }.items():
        if value:
            facts.add_row(name, str(value))
    out.print(facts)
    out.print(f"\n{letter.size:,} bytes, untouched:")
    printable = answer.text is not None and all(c.isprintable() or c in "\r\n\t" for c in answer.text)
    if as_hex or not printable:
        out.print(hexdump(bytes.fromhex(answer.hex)), markup=False, soft_wrap=True)
    else:
        out.print(answer.text, markup=False, soft_wrap=True)


def hexdump(data: bytes) -> str:
    """Offset, sixteen bytes in hex, the same as ASCII."""
    lines = []
    for start in range(0, len(data), _ROW):
        part = data[start : start + _ROW]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<{3 * _ROW - 1}}  {text}")
    return "\n".join(lines)


def show_deeds(answer: DeadLetterDeeds, out: Console) -> None:
    """The first outcomes, then how many of each."""
    rows = table("", "id", "outcome", "detail")
    for deed in answer.deeds[:SHOWN_DEEDS]:
        rows.add_row(deed.id, deed.outcome, deed.detail)
    if answer.deeds:
        out.print(rows)
    counts = Counter(str(deed.outcome) for deed in answer.deeds)
    said = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items()) or "nothing to do"
    out.print(said + ("; ended early, the rest is as it was." if answer.interrupted else "."))
