"""`cosell test`: what passes, what fails and how it is told, of the shipped flows and of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cosell

CONNECTOR = """\
connector: v1
id: parcels
title: Parcels
description: An invented courier.
base_url: https://api.parcels.example/v2
auth: [{ type: api_key, header: X-Key }]
operations:
  list_parcels:
    summary: Parcels of a customer.
    method: GET
    path: /customers/{customer}/parcels
    effect: read
    parameters: { customer: { in: path } }
    paging: { items: /data/parcels, next: /data/next }
    output: { parcels: items, total: { value: /data/total } }
  book:
    summary: Book a courier.
    method: POST
    path: /bookings
    effect: write
    idempotent: true
    parameters:
      weight: { in: body_field, name: /parcel/weight, type: number }
      note: { in: body_field, name: /note, required: false }
    output: { number: { value: /booking/number } }
errors:
  code: [/fault/code]
  message: [/fault/text]
  classes: [{ code: [BUSY], class: locked }]
"""
FLOW = """\
flow: v1
id: book-parcels
name: Book parcels
triggers: [{ id: by_hand, type: manual }]
inputs: { customer: { type: string }, heaviest: { type: decimal, default: 10 } }
uses: { connections: [parcels] }
defaults: { retry: { attempts: 3, delay: 10m, on: [locked] } }
steps:
  - id: listed
    action: parcels.list_parcels
    with: { customer: "{{ inputs.customer }}" }
  - { id: nothing, when: steps.listed.output.total == 0, stop: { status: skipped, reason: no parcels } }
  - id: each
    foreach: steps.listed.output.parcels
    as: parcel
    result: "{{ steps.booked.output.number | default(none) }}"
    steps:
      - id: booked
        when: parcel.weight <= inputs.heaviest
        action: parcels.book
        with: { weight: "{{ parcel.weight }}", note: "{{ parcel.note | default(none) }}" }
outputs:
  numbers: { type: array, value: "{{ steps.each.output.results }}" }
"""
GOOD = """\
test: v1
flow: book-parcels
cases:
  - name: light parcels are booked, also when the courier is busy for a while
    inputs: { customer: c1 }
    mock:
      parcels.list_parcels: { return: { parcels: [{ weight: 2.50 }, { weight: 12 }] } }
      parcels.book:
        - fail: { class: locked, retry_after: 1h }
        - fail: locked
        - return: { number: 006E00000012345 }
    expect:
      status: succeeded
      ran: [listed, each, booked]
      calls: { parcels.book: 3 }
      outputs: { numbers: [006E00000012345, null] }
      writes: [{ system: parcels, fields: { weight: 2.5 } }]
  - name: a customer without parcels
    inputs: { customer: c2 }
    mock: { parcels.list_parcels: { fixture: none.json } }
    expect: { status: skipped, not_ran: [each] }
"""
BAD = """\
test: v1
flow: book-parcels
cases:
  - name: everything is told
    inputs: { customer: c1 }
    mock:
      parcels.list_parcels: { return: { parcels: [{ weight: 2 }] } }
      parcels.book: { return: { number: N1 } }
    expect:
      status: skipped
      not_ran: [booked]
      calls: { parcels.book: [{ weight: 3 }] }
      outputs: { numbers: [N2] }
  - name: a call that nobody answers
    inputs: { customer: c1 }
    mock:
      parcels.list_parcels: { return: { parcels: [{ weight: 2 }] } }
    expect: {}
  - name: an answer that nobody asks for
    inputs: { customer: c1 }
    mock:
      parcels.list_parcels: { return: { parcels: [] } }
      parcels.book: { return: { number: N1 } }
    expect: { status: skipped }
"""
Write = Callable[[str], None]


@pytest.fixture
def parcels(project: Path) -> Write:
    """A solution of one's own, with an invented connector; its tests are given."""

    def write(tests: str) -> None:
        own = project / "definitions/courier"
        (own / "fixtures").mkdir(parents=True, exist_ok=True)
        (project / "connectors/parcels/samples").mkdir(parents=True, exist_ok=True)
        (project / "connectors/parcels/connector.yaml").write_text(CONNECTOR, encoding="utf-8")
        (project / "connectors/parcels/samples/none.json").write_text(
            '{"data": {"parcels": [], "total": 0, "next": null}}', encoding="utf-8"
        )
        (own / "book-parcels.flow.yaml").write_text(FLOW, encoding="utf-8")
        (own / "book-parcels.test.yaml").write_text(tests, encoding="utf-8")

    return write


def test_the_shipped_tests_pass_and_reach_nearly_everything(cosell: Cosell) -> None:
    """In a fresh project every shipped flow has its tests, all green, with nearly every branch reached."""
    said = cosell("--json", "test")

    document = said.json
    shares = {
        name: one["branches"]["percent"] for name, one in document["coverage"]["flows"].items()
    }
    assert [case["name"] for case in document["cases"] if not case["passed"]] == []
    assert "was not used" not in said.err
    assert {case["flow"] for case in document["cases"]} == set(shares)
    assert len(shares) == 26
    assert min(shares.values()) >= 80
    assert document["coverage"]["rows"]["percent"] >= 90
    assert document["coverage"]["errors"]["percent"] >= 90
    assert said.code == 0


def test_nothing_is_sent_and_no_prefect_is_loaded(project: Path) -> None:
    """The shipped tests run where every connection is refused."""
    script = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    if event == 'socket.connect': raise SystemExit(f'connected to {arguments[1]}')\n"
        "sys.addaudithook(refuse)\n"
        "from cosell_flows.cli.main import answer\n"
        "code = answer(['test'])\n"
        "heavy = {'prefect', 'aiohttp', 'joserfc', 'asyncpg', 'alembic'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else code)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=project, check=False, capture_output=True, text=True,
        env={**os.environ, "COSELL_DEAL_VALUE_FIELD": "Other__c"},
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_flow_with_a_connector_of_ones_own_is_tested(cosell: Cosell, parcels: Write) -> None:
    """Retries do not wait, ids stay text, fixtures come from the connector's samples."""
    parcels(GOOD)

    said = cosell("--json", "test", "book-parcels")

    assert said.json["failed"] == 0, said.err
    assert said.json["coverage"]["branches"] == {"covered": 5, "total": 6, "percent": 83}
    assert said.json["coverage"]["missing"] == [
        {
            "kind": "branches", "of": "book-parcels", "name": "each", "way": "an empty list",
            "file": "definitions/courier/book-parcels.flow.yaml", "line": 14,
        }
    ]  # fmt: skip


def test_a_failing_expectation_says_what_came_instead(cosell: Cosell, parcels: Write) -> None:
    """Each one by itself, with the line it stands in."""
    parcels(BAD)

    said = cosell("test", "definitions/courier", "-k", "everything")

    file = "definitions/courier/book-parcels.test.yaml"
    assert said.code == 1
    assert f"{file}:10:15: status: expected skipped, got succeeded" in said.out
    assert f"{file}:11:17: not_ran: expected booked not to run, and it ran" in said.out
    assert "calls parcels.book, call 1: weight: expected 3, got 2" in said.out
    assert "outputs: numbers[0]: expected N2, got N1" in said.out


def test_a_call_without_an_answer_names_it_with_its_arguments(
    cosell: Cosell, parcels: Write
) -> None:
    """Nobody has to guess what the flow asked for."""
    parcels(BAD)

    said = cosell("--json", "test", "book-parcels", "-k", "nobody answers")

    (failure,) = said.json["cases"][0]["failures"]
    assert failure["message"] == (
        "parcels.book was called with weight: 2; note: null, and no mock answers it"
    )
    assert (failure["line"], failure["hint"]) == (
        14, "add mock: { parcels.book: { return: … } }",
    )  # fmt: skip


def test_an_answer_that_nobody_asks_for_is_told(cosell: Cosell, parcels: Write) -> None:
    """A mock that is not used shows that the flow went another way."""
    parcels(BAD)

    said = cosell("test", "book-parcels", "-k", "nobody asks")

    assert "book-parcels.test.yaml:23:23: the mock of parcels.book was not used" in said.out
    assert said.code == 0


def test_faulty_tests_are_refused_with_their_places(cosell: Cosell, parcels: Write) -> None:
    """A test that could not prove anything is not run."""
    parcels(GOOD.replace("number: 006E", "nmuber: 006E").replace("booked]", "boked]"))

    said = cosell("--json", "test", "book-parcels")

    found = [(one["code"], one["line"], one["hint"]) for one in said.json["problems"]]
    assert found == [
        ("T030", 11, "did you mean 'number'?"),
        ("T021", 14, "did you mean 'booked'?"),
    ]
    assert said.code == 1


def test_check_knows_the_tests(cosell: Cosell, parcels: Write) -> None:
    """`cosell check` tells of them as of any file."""
    parcels(GOOD.replace("none.json", "noone.json"))

    said = cosell("--json", "check")

    (problem,) = said.json["problems"]
    assert (problem["code"], problem["hint"]) == ("T024", "did you mean 'none.json'?")


def test_the_request_is_really_built(cosell: Cosell, parcels: Write) -> None:
    """An argument that the operation cannot carry fails in the test as it would outside."""
    parcels(GOOD.replace("customer: c1", "customer: .."))

    said = cosell("test", "book-parcels")

    assert "the argument 'customer' may not be '..': it is part of the address" in said.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere",), "there is no file, folder or flow nowhere"),
        (("env/sandbox.yaml",), "env/sandbox.yaml holds no tests"),
        (("-k", "no such words"), "no case is called so"),
    ],
)
def test_a_path_that_names_nothing_is_wrong_usage(
    cosell: Cosell, arguments: tuple[str, ...], sentence: str
) -> None:
    """Nobody takes zero tests for a success."""
    said = cosell("test", *arguments)

    assert said.code == 2
    assert sentence in said.err


def test_a_flow_without_tests_is_named(cosell: Cosell, parcels: Write, project: Path) -> None:
    """Asked by its id."""
    parcels(GOOD)
    (project / "definitions/courier/book-parcels.test.yaml").unlink()

    said = cosell("test", "book-parcels")

    assert (said.code, "flow 'book-parcels' has no tests" in said.err) == (2, True)


def test_the_document_is_plain_json(cosell: Cosell, parcels: Write) -> None:
    """Decimals keep their digits, moments are ISO 8601; standard output holds nothing else."""
    parcels(BAD)

    said = cosell("--json", "test", "book-parcels")

    assert set(json.loads(said.out)) == {"passed", "failed", "cases", "coverage"}
    assert (said.json["passed"], said.json["failed"]) == (1, 2)


ASKING = """\
flow: v1
id: ask-first
name: Ask first
steps:
  - { id: sure, approve: { message: Ship it?, answer: { yes: { type: boolean } } } }
  - { id: ship, when: steps.sure.output.yes, set: { done: true } }
"""
ANSWERED = """\
test: v1
flow: ask-first
cases:
  - { name: a yes ships, answers: { sure: { yes: true } }, expect: { ran: [ship] } }
  - { name: a no does not, answers: { sure: { yes: false } }, expect: { skipped: [ship] } }
  - { name: nobody answers, expect: {} }
"""


def test_a_person_answers_as_the_case_says(cosell: Cosell, project: Path) -> None:
    """And a question without an answer is told, with what was asked."""
    own = project / "definitions/own"
    own.mkdir()
    (own / "ask-first.flow.yaml").write_text(ASKING, encoding="utf-8")
    (own / "ask-first.test.yaml").write_text(ANSWERED, encoding="utf-8")

    cases = cosell("--json", "test", "ask-first").json["cases"]

    assert [one["passed"] for one in cases] == [True, True, False]
    assert cases[2]["failures"][0]["message"] == "step 'sure' asks a person: Ship it?"
