"""epcis: is this document valid, and what are the identities of its events?"""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from lotstream.cli.context import console, json_option, print_json
from lotstream.cli.epcis_answers import CheckedFile, EpcisCheck, EpcisHash, HashedEvent, ShownFault, ShownFlag
from lotstream.cli.exits import EXIT_NO, Refused
from lotstream.runtime.clock import SystemClock
from lotstream.schemas.epcis import check_document, hash_document
from lotstream.schemas.epcis.flags import EventIds

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


@click.group()
def epcis() -> None:
    """Documents of EPCIS 2.0 (JSON-LD) without sending them anywhere."""


@epcis.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@json_option
@click.pass_context
def check(context: click.Context, *, files: tuple[Path, ...], as_json: bool) -> None:
    """Every fault of each of FILES (- is standard input): where, which rule, expected and got.

    Takes an EPCISDocument, an EPCISQueryDocument, an event, or an array of events. Exit 1 when there is a fault.
    """
    now_us, ids = SystemClock().now_us(), EventIds()
    checked = tuple(_checked(file, now_us, ids) for file in files)
    answer = EpcisCheck(ok=all(one.ok for one in checked), files=checked)
    if as_json:
        print_json(answer)
    else:
        out = console()
        for line in lines(answer):
            out.print(line, soft_wrap=True, markup=False)
    context.exit(0 if answer.ok else EXIT_NO)


@epcis.command("hash")
@click.argument("file", type=_FILE)
@json_option
def hash_command(*, file: Path, as_json: bool) -> None:
    """The CBV 2.0 event hash id of each event of FILE (- is standard input), one a line, in document order.

    Faults that leave an event readable do not matter here. Exit 1 when some event has no hash; its line is empty.
    """
    hashes = hash_document(_bytes(file))
    if as_json:
        events = tuple(HashedEvent(index=index, event_hash=one) for index, one in enumerate(hashes))
        print_json(EpcisHash(file=str(file), events=events))
    else:
        sys.stdout.writelines(f"{one}\n" for one in hashes)
    if "" in hashes:
        raise Refused(f"Expected events, got another thing at {hashes.index('')}: lotstream epcis check {file}")


def lines(answer: EpcisCheck) -> Iterator[str]:
    """The answer for people."""
    for one in answer.files:
        said = "valid" if one.ok else f"{len(one.faults):,} faults"
        yield f"{one.file}: {said}, {one.events:,} events"
        for fault in one.faults:
            yield f"  {fault.pointer or 'the document'}: expected {fault.expected}, got {fault.got}"
            yield f"      {fault.rule}: {fault.section}"
        for flag in one.flags:
            yield f"  event {flag.index}, {flag.flag}: {flag.detail}"


def _checked(file: Path, now_us: int, ids: EventIds) -> CheckedFile:
    found = check_document(_bytes(file), now_us=now_us, ids=ids)
    return CheckedFile(
        file=str(file),
        ok=not found.faults,
        events=len(found.hashes),
        faults=tuple(ShownFault(**asdict(fault), section=fault.section) for fault in found.faults),
        flags=tuple(ShownFlag(**asdict(flag)) for flag in found.flags),
    )


def _bytes(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
