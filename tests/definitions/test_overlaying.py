"""A customer's changes are laid over a shipped file by step id, and are told where they stand."""

from __future__ import annotations

import pytest

from cosell_definitions.model import Action, Flow, ForEach, If, SetValues
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.overlaying import Overlay, load_overlay
from cosell_definitions.parsing import load_flow, load_mapping
from cosell_definitions.problems import Problem

FLOW = """\
flow: v1
id: example
name: Example
timeout: 1h
triggers:
  - { id: catch_up, type: schedule, every: 15m }
  - { id: by_hand, type: manual }
inputs:
  amount: { type: decimal, default: 1 }
steps:
  - id: first
    set: { a: 1, b: 2 }
  - id: check
    if: inputs.amount > 0
    then:
      - id: inner
        action: debug.echo
        with: { text: hello, other: kept }
  - id: last
    set: { done: true }
"""
MAPPING = """\
mapping: v1
id: example
left: { connection: partner_center, object: Referral, key: id, version: eTag }
right: { connection: salesforce, object: Opportunity, key: Key__c, version: SystemModstamp }
fields:
  - { left: details.notes, right: Description }
  - { left: [status, substatus], right: StageName, table: stages }
  - { left: name, right: Name, when: create }
tables:
  stages:
    - { left: [New, Pending], right: Prospecting }
"""


def overlay(text: str) -> Overlay:
    found, problems = load_overlay(f"overlay: v1\n{text}", file="overlays/live/mine.yaml")
    assert found is not None, problems
    return found


def flow_with(text: str) -> Flow:
    laid = overlay(f"flow: example\n{text}")
    found, problems = load_flow(FLOW, file="definitions/x/example.flow.yaml", overlays=[laid])
    assert found is not None, problems
    return found


def problems_of(text: str) -> tuple[Problem, ...]:
    laid = overlay(f"flow: example\n{text}")
    return load_flow(FLOW, file="definitions/x/example.flow.yaml", overlays=[laid])[1]


def mapping_with(text: str) -> MappingFile:
    laid = overlay(f"mapping: example\n{text}")
    found, problems = load_mapping(MAPPING, file="definitions/x/example.map.yaml", overlays=[laid])
    assert found is not None, problems
    return found


def test_a_change_reaches_a_step_inside_a_branch() -> None:
    """A step is found by its id, however deep it stands, and changed key by key."""
    flow = flow_with("steps: { inner: { with: { text: ciao } } }")

    branch = flow.steps[1].do
    assert isinstance(branch, If)
    inner = branch.then[0].do
    assert isinstance(inner, Action)
    assert dict(inner.arguments) == {"text": "ciao", "other": "kept"}


def test_a_step_is_removed() -> None:
    """`remove: true` takes a step out."""
    assert [step.id for step in flow_with("steps: { last: { remove: true } }").steps] == [
        "first",
        "check",
    ]


def test_steps_are_put_beside_another() -> None:
    """`before` and `after` add steps at the place of the one that is named."""
    flow = flow_with(
        "steps:\n"
        "  check:\n"
        "    before: [ { id: one, set: { x: 1 } } ]\n"
        "    after: [ { id: two, set: { x: 2 } }, { id: three, set: { x: 3 } } ]\n"
    )

    assert [step.id for step in flow.steps] == ["first", "one", "check", "two", "three", "last"]


def test_a_step_is_replaced_whole() -> None:
    """`replace` leaves nothing of what was there."""
    flow = flow_with("steps: { first: { replace: { id: first, set: { c: 3 } } } }")

    values = flow.steps[0].do
    assert isinstance(values, SetValues)
    assert list(values.values) == ["c"]


def test_a_step_becomes_another_kind_by_replacement() -> None:
    """What a step does can be replaced, too."""
    flow = flow_with(
        "steps:\n"
        "  last:\n"
        "    replace: { id: last, foreach: '[1, 2]', as: it, steps: [ { id: s, set: { a: 1 } } ] }\n"
    )

    assert isinstance(flow.steps[2].do, ForEach)


def test_top_keys_triggers_and_inputs_change() -> None:
    """The head of a flow is changed by `set`, its triggers by id, its inputs by name."""
    flow = flow_with(
        "set: { timeout: 2h }\n"
        "triggers: { catch_up: { every: 5m } }\n"
        "inputs: { amount: { default: 7 }, note: { type: string, default: '' } }\n"
    )

    assert (
        str(flow.timeout),
        str(flow.triggers[0].every),
        [(one.name, one.default) for one in flow.inputs],
    ) == ("2:00:00", "0:05:00", [("amount", 7), ("note", "")])


def test_rows_of_a_mapping_change() -> None:
    """Rows are named by their left path; several paths are joined by a plus sign."""
    mapping = mapping_with(
        "fields:\n"
        "  details.notes: { conflict: left }\n"
        "  status+substatus: { direction: left_to_right }\n"
        "  name: { remove: true }\n"
        "add_fields: [ { left: campaignId, right: Campaign__c } ]\n"
    )

    assert [(row.id, row.conflict, row.direction) for row in mapping.fields] == [
        ("details.notes", "left", "both"),
        ("status+substatus", "newest", "left_to_right"),
        ("campaignId", "newest", "both"),
    ]


def test_a_slip_in_a_change_is_told_in_the_overlay() -> None:
    """What is wrong with a change is told where the customer wrote it."""
    (problem,) = problems_of("steps: { last: { sett: { a: 1 } } }")

    assert (problem.place.file, problem.place.line) == ("overlays/live/mine.yaml", 3)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("steps: { inerr: { remove: true } }", "did you mean 'inner'?"),
        ("triggers: { catchup: { every: 5m } }", "did you mean 'catch_up'?"),
        ("inputs: { amuont: { remove: true } }", "did you mean 'amount'?"),
    ],
)
def test_what_is_gone_below_is_said(text: str, hint: str) -> None:
    """A change of something that an upgrade took away, or that is misspelt, is never dropped."""
    (problem,) = problems_of(text)

    assert (problem.code, problem.hint) == ("O011", hint)


@pytest.mark.parametrize(
    "text",
    [
        "why: nothing is named\n",
        "flow: a\nmapping: b\n",
        "flow: a\nfields: { x: { remove: true } }\n",
        "mapping: a\nsteps: { x: { remove: true } }\n",
        "flow: a\nsteps: [ x ]\n",
        "flow: a\nstep: { x: { remove: true } }\n",
    ],
)
def test_an_overlay_of_no_sense_is_refused(text: str) -> None:
    """An overlay changes one flow or one mapping, with the keys that belong to it."""
    found, problems = load_overlay(f"overlay: v1\n{text}", file="overlays/live/mine.yaml")

    assert (found, len(problems)) == (None, 1)


def test_the_hash_tells_of_overlays() -> None:
    """A run records which version it ran: a flow with an overlay is another version."""
    plain, _ = load_flow(FLOW, file="definitions/x/example.flow.yaml")
    assert plain is not None

    assert flow_with("steps: { last: { remove: true } }").content_hash != plain.content_hash
