"""Lot numbers and holds by the commands, on a running stack, whose numberers and register are killed at random."""

import json
import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.system

GTIN = "09521234543213"
NUMBERERS, CLAIMS = 3, 5
TEMPLATE = "{site}{date:%y%j}-{seq:03}{check}"


class Numberer:
    """Claims numbers one after the other, and is killed now and then; then it says its claim again."""

    def __init__(self, stack: Any, number: int) -> None:
        self._stack = stack
        self._number = number
        self._chance = random.Random(number)
        self.killed = 0

    def work(self) -> dict[str, str]:
        """claim -> number."""
        return {claim: self._claim(claim) for claim in (f"line-{self._number}/{each}" for each in range(CLAIMS))}

    def _claim(self, claim: str) -> str:
        while True:
            words = ["lot", "new", GTIN, "--template", TEMPLATE, "--site", "P1", "--claim", claim]
            process = subprocess.Popen(
                [*self._stack.command, *words, "--production-date", "2026-03-02", "--json"],
                cwd=self._stack.directory,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            if self._chance.random() < 0.5:
                time.sleep(self._chance.uniform(0.5, 3.0))
                process.kill()
                self.killed += 1
            said, why = process.communicate(timeout=120)
            if process.returncode == 0:
                return str(json.loads(said)["code"])
            assert process.returncode in (-signal.SIGKILL, 3), why  # 3: the register is away; the claim stands


def kill_register(stack: Any, times: int) -> None:
    for _ in range(times):
        time.sleep(4)
        os.kill(json.loads((stack.directory / "run/worker-door.json").read_text())["pid"], signal.SIGKILL)
        time.sleep(6)


def test_no_number_twice_and_none_lost(own_stack: Any) -> None:
    """Numberers and the register are killed at random: every claim has one number, no number has two claims, none is
    left out, and a claim said again gets its number."""
    numberers = [Numberer(own_stack, number) for number in range(NUMBERERS)]
    with ThreadPoolExecutor(NUMBERERS + 1) as pool:
        killer = pool.submit(kill_register, own_stack, 2)
        working = [pool.submit(numberer.work) for numberer in numberers]
        numbers = {claim: number for done in working for claim, number in done.result().items()}
        killer.result()
    assert sum(numberer.killed for numberer in numberers) > 0
    assert len(set(numbers.values())) == len(numbers) == NUMBERERS * CLAIMS
    assert sorted(int(number.split("-")[1][:3]) for number in numbers.values()) == list(range(1, len(numbers) + 1))
    claim, number = next(iter(numbers.items()))
    again = own_stack.run("lot", "new", GTIN, "--template", TEMPLATE, "--site", "P2", "--claim", claim)
    assert again.stdout.strip() == number, again.stderr
    own_stack.settle()
    rows = own_stack.rows("SELECT claim, groupUniqArray(lot) FROM lot_numbers GROUP BY claim")
    assert {claim: [f"01/{GTIN}/10/{number}"] for claim, number in numbers.items()} == dict(rows)
    listed = told(own_stack, "lots")["lots"]
    assert {lot["code"] for lot in listed} == set(numbers.values())


def test_a_code_is_taken_once(own_stack: Any) -> None:
    """The second claim to a code is refused, with exit code 1 and the reason; a bad template says what is wrong."""
    first = own_stack.run("lot", "new", GTIN, "--code", "A-77", "--expiry", "2031-01-31", "--supplier-lot", "S 9")
    assert (first.returncode, first.stdout) == (0, "A-77\n"), first.stderr
    second = own_stack.run("lot", "new", GTIN, "--code", "A-77")
    assert second.returncode == 1 and "Expected a free code, got 'A-77'" in second.stderr
    wrong = own_stack.run("lot", "new", GTIN, "--template", "{seq:4}")
    assert wrong.returncode == 1 and "{seq:0N}, N digits from 1 to 9" in wrong.stderr


def told(stack: Any, *words: str) -> Any:
    """The answer of a command."""
    found = stack.run(*words, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_a_hold_from_placing_to_release(own_stack: Any) -> None:
    """A hold shows in the lot, in what is affected and to live clients until its release, and in the history for
    ever; the lot is found by its supplier's code."""
    key = f"01/{GTIN}/10/A-78"
    assert own_stack.run("lot", "new", GTIN, "--code", "A-78", "--supplier-lot", "S 10").returncode == 0
    own_stack.settle()
    placed = own_stack.run("lot", "hold", "S 10", "--reason", "glass found", "--serials", "1..50", "--by", "ann")
    assert placed.returncode == 0, placed.stderr
    name = placed.stdout.strip()
    recalled = own_stack.run("lot", "hold", key, "--reason", "complaint", "--recall", "--hold", "R1", "--by", "bob")
    assert recalled.stdout == "R1\n", recalled.stderr
    own_stack.settle()
    lot = told(own_stack, "lot", "show", "A-78")["lot"]
    assert lot["status"] == "recalled"
    assert [(hold["hold"], hold["by"], hold["scope"]["serials"]) for hold in lot["holds"]] == [
        (name, "ann", [[1, 50]]),
        ("R1", "bob", []),
    ]
    assert "RECALLED serials 1..50" in own_stack.run("affected", "A-78").stdout
    unknown = own_stack.run("lot", "release", "A-78", "--hold", "R2", "--reason", "x")
    assert unknown.returncode == 1 and "Expected a hold in force" in unknown.stderr
    assert own_stack.run("lot", "release", "A-78", "--hold", "R1", "--reason", "closed").returncode == 0
    assert own_stack.run("lot", "change", "A-78", "--expiry", "2020-01-01", "--reason", "typo").returncode == 0
    own_stack.settle()
    found = told(own_stack, "lot", "show", "A-78", "--history")
    assert (found["lot"]["status"], found["lot"]["expires"]) == ("held", "2020-01-01")
    assert [entry["what"] for entry in found["history"]] == [
        "said",
        "hold placed",
        "hold placed",
        "hold released",
        "said",
    ]
    assert own_stack.run("lot", "release", "A-78", "--hold", name, "--reason", "tested").returncode == 0
    own_stack.settle()
    assert told(own_stack, "lot", "show", "A-78")["lot"]["status"] == "expired"


ISSUER = "0614141000012"
ISSUED = f"urn:epcglobal:cbv:bt:{ISSUER}:"
EVENT = {
    "type": "ObjectEvent",
    "eventTimeZoneOffset": "+00:00",
    "quantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/A-79", "quantity": 40, "uom": "KGM"}],
}
MADE = EVENT | {"eventTime": "2026-03-01T08:00:00Z", "action": "ADD", "bizStep": "commissioning"}
SHIPPED = EVENT | {
    "eventTime": "2026-03-02T10:00:00Z",
    "action": "OBSERVE",
    "bizStep": "shipping",
    "readPoint": {"id": "https://id.gs1.org/414/0614141000012"},
    "bizTransactionList": [
        {"type": "desadv", "bizTransaction": f"{ISSUED}D-79"},
        {"type": "bol", "bizTransaction": f"{ISSUED}B-79"},
    ],
    "destinationList": [
        {"type": "location", "destination": "https://id.gs1.org/414/0614141000029"},
        {"type": "owning_party", "destination": "https://id.gs1.org/417/0614141000029"},
    ],
}
PAPERS = [
    {
        "kind": "document",
        "type": "inv",
        "number": "I-79",
        "issuer": ISSUER,
        "lines": [{"line": "1", "goods": f"01/{GTIN}/10/A-79", "amount": "40", "uom": "KGM"}],
        "references": [
            {"type": "desadv", "number": "D-79", "issuer": ISSUER},
            {"type": "po", "number": "O-79", "issuer": ISSUER},
        ],
    },
    {
        "kind": "document",
        "type": "po",
        "number": "O-79",
        "issuer": ISSUER,
        "lines": [{"line": "1", "goods": GTIN, "amount": "50"}],
    },
]


def test_documents_that_arrive_at_different_times(own_stack: Any) -> None:
    """The invoice comes first, then the goods, the event that ships them, and the order: whoever received some of the
    lot is named with all of them, and each tells what is on it."""
    for door, body in (("/decisions", PAPERS[0]), ("/events", MADE), ("/events", SHIPPED), ("/decisions", PAPERS[1])):
        answer = own_stack.doors.post(door, json=body)
        assert answer.status_code == 201, answer.text
    own_stack.settle()
    affected = told(own_stack, "affected", f"01/{GTIN}/10/A-79")
    (recipient,) = [one for one in affected["recipients"] if one["document"].startswith("desadv:")]
    assert set(recipient["linked"]) == {f"bol:{ISSUED}B-79", f"inv:{ISSUED}I-79", f"po:{ISSUED}O-79"}
    (invoice,) = told(own_stack, "documents", "I-79")["documents"]
    assert [(line["lot"], line["amount"]) for line in invoice["lines"]] == [(f"01/{GTIN}/10/A-79", "40.000000")]
    assert {link["document"]: link["steps"] for link in invoice["linked"]} == {
        f"desadv:{ISSUED}D-79": 1,
        f"po:{ISSUED}O-79": 1,
        f"bol:{ISSUED}B-79": 2,
    }
    shown_ = own_stack.run("documents", "O-79").stdout
    assert f"order {ISSUED}O-79" in shown_ and "50 pieces" in shown_ and f"linked: inv:{ISSUED}I-79" in shown_


def test_everything_decided_can_be_sent_again(own_stack: Any) -> None:
    """What `lot resend` sends changes nothing: the same numbers, the same lots, the same holds."""
    question = "SELECT lot, status, supplier_code, expires FROM lot_master ORDER BY lot"
    before = own_stack.rows(question)
    ((claims,),) = own_stack.rows("SELECT uniq(gtin, claim) FROM lot_numbers WHERE lot != ''")
    assert claims > 1
    sent = own_stack.run("lot", "resend")
    assert sent.returncode == 0, sent.stderr
    assert f"claims: {claims} sent" in sent.stdout
    own_stack.settle()
    assert own_stack.rows(question) == before
    assert own_stack.rows("SELECT claim FROM lot_numbers GROUP BY gtin, claim HAVING uniqIf(lot, lot != '') > 1") == []
