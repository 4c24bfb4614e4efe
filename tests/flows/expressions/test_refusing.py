"""A run refuses what is faulty in what it uses, before it starts; a fault elsewhere stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Small

SOUND = "steps:\n  - { id: say, action: debug.echo, with: { text: hello } }\n"
WRONG = """\
steps:
  - { id: say, action: debug.echo, with: { text: hello } }
  - { id: then, set: { text: "{{ steps.sya.output.text }}" } }
"""
MAPPING = """\
mapping: v1
id: pairs
left: { connection: crm, object: Referral, key: id, version: v }
right: { connection: crm, object: Opportunity, key: Id, version: v }
fields: [{ left: a, right: "{{ env.STGAE }}" }]
"""
CONNECTOR = """\
connector: v1
id: crm
title: CRM
operations:
  get:
    summary: One record.
    method: GET
    path: /records/{id}
    effect: read
    parameters: { id: { in: path } }
"""


@pytest.mark.parametrize("command", [("run", "it", "--local"), ("plan", "it")])
def test_a_wrong_reference_is_refused_before_the_first_step(
    small: Small, command: tuple[str, ...]
) -> None:
    """Nothing runs, the answer is no, and the place is the exact spot."""
    small.flow(WRONG)

    answered = small.cosell(*command)

    assert (answered.code, answered.problems) == (
        1,
        ["definitions/a/it.flow.yaml:6:40 F012"],
    )


def test_a_person_sees_the_line_and_what_was_meant(small: Small) -> None:
    """As `cosell check` shows it: place, code, excerpt, hint."""
    small.flow(WRONG)

    told = small.run().complained

    assert "definitions/a/it.flow.yaml:6:40: F012" in told
    assert "did you mean 'say'?" in told


def test_a_run_on_prefect_is_refused_alike(small: Small) -> None:
    """It does not even ask for a server."""
    small.flow(WRONG)

    answered = small.cosell("run", "it")

    assert (answered.code, answered.problems) == (1, ["definitions/a/it.flow.yaml:6:40 F012"])


def test_a_wrong_flow_that_is_called_is_refused(small: Small) -> None:
    """However deep it is called."""
    small.flow(WRONG, name="deep")
    small.flow("steps: [{ id: down, call: deep }]\n", name="between")
    small.flow("steps: [{ id: down, call: between }]\n")

    answered = small.run()

    assert (answered.code, answered.problems) == (1, ["definitions/a/deep.flow.yaml:6:40 F012"])


def test_a_flow_that_cannot_be_read_is_refused_where_it_is_called(small: Small) -> None:
    """Its own problems are told, in its own file."""
    small.flow("stpes: []\n", name="deep")
    small.flow("steps: [{ id: down, call: deep }]\n")

    answered = small.run()

    assert answered.code == 1
    assert "definitions/a/deep.flow.yaml:4:1 F001" in answered.problems


def test_a_wrong_flow_that_is_not_called_stops_nothing(small: Small) -> None:
    """A run refuses only what is faulty in what it uses."""
    small.flow(WRONG, name="other")
    small.write("definitions/a/pairs.map.yaml", MAPPING)
    small.write("connectors/crm/connector.yaml", "connector: v1\nid: crm\n")
    small.write("env/production.yaml", "environment: v1\nvariables: { NONE: 1 }\n")
    small.flow(SOUND)

    answered = small.run()

    assert (answered.code, answered.said["status"]) == (0, "succeeded")


def test_a_wrong_mapping_that_is_used_is_refused(small: Small) -> None:
    """The variable it names is not declared."""
    small.write("connectors/crm/connector.yaml", CONNECTOR)
    small.write("definitions/a/pairs.map.yaml", MAPPING)
    small.flow(
        "steps:\n  - id: names\n    set: { all: \"{{ mapping_fields('pairs', 'right') }}\" }\n"
    )

    answered = small.run()

    assert (answered.code, answered.problems) == (
        1,
        ["definitions/a/pairs.map.yaml:5:36 F021"],
    )


def test_a_faulty_connector_that_is_used_is_refused(small: Small) -> None:
    """Its file is named, with the line."""
    small.write("connectors/crm/connector.yaml", CONNECTOR.replace("effect: read", "effect: rad"))
    small.flow("steps: [{ id: ask, action: crm.get, with: { id: 1 } }]\n")

    answered = small.run()

    assert answered.code == 1
    assert {it.split(":")[0] for it in answered.problems} == {"connectors/crm/connector.yaml"}


def test_a_connection_that_is_bound_to_nothing_is_refused(small: Small) -> None:
    """Before the first step, not in the middle of the run."""
    small.write("connectors/crm/connector.yaml", CONNECTOR)
    small.write("env/sandbox.yaml", "environment: v1\nconnections: { crm: { connector: crn } }\n")
    small.flow("steps: [{ id: ask, action: crm.get, with: { id: 1 } }]\n")

    answered = small.run()

    assert (answered.code, [it.split()[-1] for it in answered.problems]) == (1, ["C001"])


WRONG_VALUE = "environment: v1\nvariables: { MARK: perhaps }\n"


def test_a_variable_that_is_used_must_have_a_value_that_fits(small: Small) -> None:
    """The value stands in the environment's file, and that is where the problem is."""
    small.write("env/sandbox.yaml", WRONG_VALUE)
    small.flow('steps: [{ id: say, set: { mark: "{{ env.MARK }}" } }]\n')

    answered = small.run()

    assert (answered.code, answered.problems) == (1, ["env/sandbox.yaml:2:20 V021"])


def test_a_variable_that_is_not_used_stops_nothing(small: Small) -> None:
    """A customer's half-edited value for something else is no reason to stand still."""
    small.write("env/sandbox.yaml", WRONG_VALUE)
    small.flow('steps: [{ id: say, set: { stage: "{{ env.STAGE }}" } }]\n')

    answered = small.run()

    assert (answered.code, answered.said["status"]) == (0, "succeeded")


def test_a_faulty_declaration_elsewhere_stops_nothing(small: Small) -> None:
    """Another solution's variables may be in pieces."""
    small.write("env/b/variables.yaml", "variables: v1\ndeclare: { X: { type: nothing } }\n")
    small.flow('steps: [{ id: say, set: { stage: "{{ env.STAGE }}" } }]\n')

    answered = small.run()

    assert (answered.code, answered.said["status"]) == (0, "succeeded")


def test_a_faulty_declaration_that_is_used_is_refused(small: Small) -> None:
    """The declaration is named, not the flow that trusts in it."""
    small.write("env/b/variables.yaml", "variables: v1\ndeclare: { X: { type: nothing } }\n")
    small.flow('steps: [{ id: say, set: { x: "{{ env.X }}" } }]\n')

    answered = small.run()

    assert answered.code == 1
    assert {it.split(":")[0] for it in answered.problems} == {"env/b/variables.yaml"}


def test_flows_that_call_each_other_in_a_circle_are_refused(small: Small) -> None:
    """They would never end."""
    small.flow("steps: [{ id: there, call: other }]\n")
    small.flow("steps: [{ id: back, call: it }]\n", name="other")

    answered = small.run()

    assert (answered.code, [it.split()[-1] for it in answered.problems]) == (1, ["F030"])


def test_a_flow_that_no_run_would_begin_is_not_turned_on(small: Small) -> None:
    """Better now than at night; nothing is turned on by halves."""
    small.flow(WRONG)
    small.flow(SOUND, name="other")

    answered = small.cosell("on", "--all")

    assert (answered.code, answered.problems) == (1, ["definitions/a/it.flow.yaml:6:40 F012"])
    assert [it["on"] for it in small.cosell("flows").said["flows"]] == [False, False]


def test_a_flow_that_is_not_there_is_wrong_usage(small: Small) -> None:
    """It is the command that is wrong, not the project."""
    small.flow(SOUND)

    assert small.run(name="ti").code == 2
