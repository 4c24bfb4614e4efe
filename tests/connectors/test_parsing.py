"""Turn a connector file into a connector, or into every problem it has."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from cosell_connectors.errors import ERROR_CLASSES
from cosell_connectors.model import Connector
from cosell_connectors.parsing import load, parse
from cosell_definitions.problems import Unsound

ROOT = Path(__file__).parents[2]
SHIPPED = ["salesforce", "partner_center", "partner_center_events"]
SCHEMA = ROOT / "definitions/cosell_definitions/schemas/connector.v1.json"

SOUND = """\
connector: v1
id: tickets
title: Tickets
base_url: https://tickets.example/api
auth: [{ type: bearer }]
operations:
  get_ticket:
    summary: One ticket.
    method: GET
    path: /tickets/{id}
    effect: read
    parameters:
      id: { in: path }
  list_tickets:
    summary: Tickets, newest first.
    method: GET
    path: /tickets
    effect: read
    parameters:
      since: { in: stop, type: datetime }
    paging: { items: /items, next: /next, stop: { field: /at, before: since } }
    output: { tickets: items, read_until: { newest: /at } }
  make_ticket:
    summary: Make a ticket.
    method: POST
    path: /tickets
    effect: write
    idempotent: false
    parameters:
      ticket: { in: body, type: object }
    recover:
      - ask: list_tickets
        since: since
        window: 2m
        look_in: tickets
        match: { /reference: /ticket/reference }
resources:
  Ticket:
    key: id
    get: { operation: get_ticket, id: id }
    create: { operation: make_ticket, body: ticket, new_id: /id }
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_what_we_ship_is_sound(name: str) -> None:
    """The connectors that come with the product have no problem at all."""
    file = f"connectors/{name}/connector.yaml"

    _, problems = parse((ROOT / file).read_text(), file=file)

    assert problems == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_operation_says_what_it_does(name: str) -> None:
    """Each summary is a sentence."""
    connector = load(ROOT / "connectors" / name / "connector.yaml")

    assert [
        one.name for one in connector.operations.values() if not one.summary.endswith(".")
    ] == []


def test_a_page_of_yaml_is_a_connector() -> None:
    """A system we never heard of needs no Python."""
    connector, problems = parse(SOUND, file="connectors/tickets/connector.yaml")

    assert (problems, connector and connector.operations["make_ticket"].recover[0].window) == (
        (),
        timedelta(minutes=2),
    )


PATH_ID = "id: { in: path }"
BODY = "{ in: body, type: object }"
PAGING = "    paging: { items: /items, next: /next, stop: { field: /at, before: since } }\n"


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("C010", "id: tickets", "id: tikets"),
        ("C011", "{ type: bearer }", "{ type: bearer, when: tokn }"),
        ("C001", "  get_ticket:", "  Get-Ticket:"),
        ("C001", PATH_ID, "Id: { in: path, name: id }"),
        ("C012", "    idempotent: false\n", ""),
        ("C013", PATH_ID, PATH_ID + "\n      f: { in: query, format: 'a eq {}' }"),
        ("C014", BODY, "{ in: body_field, name: ticket, type: object }"),
        ("C015", PATH_ID, PATH_ID + "\n      n: { in: query, type: uuid, default: x }"),
        ("C016", "/tickets/{id}", "/tickets/{number}"),
        ("C017", "path: /tickets/{id}", "path: /tickets"),
        ("C017", PATH_ID, "id: { in: path, required: false }"),
        ("C018", BODY, BODY + "\n      b: { in: body_field }"),
        ("C019", "    method: POST", "    method: GET"),
        ("C020", "before: since }", "before: sinse }"),
        ("C021", ", stop: { field: /at, before: since } }", " }"),
        ("C022", PAGING, ""),
        ("C023", "ask: list_tickets", "ask: list_tikets"),
        ("C023", "        since: since", "        since: sinse"),
        ("C023", "look_in: tickets", "look_in: tickts"),
        ("C023", "/ticket/reference }", "/tiket/reference }"),
        ("C023", "operation: make_ticket", "operation: mak_ticket"),
        ("C023", "body: ticket", "body: tiket"),
        ("C024", "ask: list_tickets", "ask: make_ticket"),
    ],
)
def test_each_slip_has_its_problem(code: str, before: str, after: str) -> None:
    """Every code is what one slip in a sound file brings forth."""
    assert before in SOUND

    connector, problems = parse(
        SOUND.replace(before, after, 1), file="connectors/tickets/connector.yaml"
    )

    assert (connector, code in {one.code for one in problems}) == (None, True)


def test_a_problem_stands_where_the_slip_is() -> None:
    """The place is the line of the wrong word, and the hint the right one."""
    text = SOUND.replace("ask: list_tickets", "ask: list_tikets")

    (problem,) = parse(text, file="connectors/tickets/connector.yaml")[1]

    assert (text.splitlines()[problem.place.line - 1].strip(), problem.hint) == (
        "- ask: list_tikets",
        "did you mean 'list_tickets'?",
    )


def test_all_problems_are_told_at_once() -> None:
    """Two slips make two problems, in one reading."""
    text = SOUND.replace("ask: list_tickets", "ask: x").replace("body: ticket", "body: y")

    assert len(parse(text, file="connectors/tickets/connector.yaml")[1]) == 2


def test_an_unknown_key_is_a_problem() -> None:
    """A misspelt key is not silently ignored."""
    _, problems = parse(SOUND.replace("effect: read", "efect: read", 1), file="t.yaml")

    assert [one.hint for one in problems if one.code == "C001"] == ["did you mean 'effect'?"]


def test_an_unsound_file_raises_every_problem(tmp_path: Path) -> None:
    """Loading a file that cannot be used says all that is wrong with it."""
    path = tmp_path / "connector.yaml"
    path.write_text("connector: v1\nid: x\n")

    with pytest.raises(Unsound) as caught:
        load(path)

    assert {one.code for one in caught.value.problems} >= {"C002"}


def test_the_schema_and_the_code_know_the_same_classes() -> None:
    """A class that may be written is a class that may be raised."""
    classes = json.loads(SCHEMA.read_text())["$defs"]["class"]["enum"]

    assert tuple(classes) == ERROR_CLASSES


def test_partner_center_patches_what_microsofts_connector_patches(
    partner_center: Connector,
) -> None:
    """The list of fields that can be changed is that of Microsoft's own connector."""
    updatable = partner_center.resources["Referral"].updatable or ()
    swagger = ROOT.parent / "shared/samples/partner-center/connector.swagger.json"
    if not swagger.exists():
        pytest.skip("the vendor's samples are not here")
    text = swagger.read_text()

    assert [path for path in updatable if f'"/{path.replace(".", "/")}"' not in text] == []


def test_any_object_of_salesforce_is_a_resource(salesforce: Connector) -> None:
    """A mapping may name an object we never heard of."""
    resource = salesforce.resource("Microsoft_Solution__c")

    assert resource is not None
    assert resource.update is not None
    assert resource.update.version_parameter == "unmodified_since"
