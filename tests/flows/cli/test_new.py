"""`cosell new`: drafts that pass, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cosell

DRAFTS = [("flow", "order-to-invoice"), ("mapping", "lead-contact"), ("connector", "parcels")]


def test_every_draft_passes_check(cosell: Cosell) -> None:
    """Whoever begins with a draft begins without a problem, and without a warning."""
    made = [cosell("--json", "new", *draft).json["files"] for draft in DRAFTS]

    assert cosell("--json", "check").json["problems"] == []
    assert made == [
        [
            "definitions/own/order-to-invoice.flow.yaml",
            "definitions/own/order-to-invoice.test.yaml",
        ],
        ["definitions/own/lead-contact.map.yaml"],
        ["connectors/parcels/connector.yaml"],
    ]


def test_a_new_flow_runs_and_its_tests_pass(cosell: Cosell) -> None:
    """The draft shows a loop, a condition and an output, and all of them are reached."""
    cosell("new", "flow", "order-to-invoice")

    run = cosell("--json", "run", "order-to-invoice", "--local")
    tested = cosell("--json", "test", "order-to-invoice")

    assert run.json["outputs"] == {"large": [120.50]}
    assert (tested.code, tested.json["coverage"]["branches"]["percent"]) == (0, 100)


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda it: it[0])
def test_what_is_there_is_left_as_it_is(
    cosell: Cosell, project: Path, draft: tuple[str, str]
) -> None:
    """A second draft of that name is refused."""
    (made, *_) = cosell("--json", "new", *draft).json["files"]
    (project / made).write_text("# mine\n", encoding="utf-8")

    said = cosell("new", *draft)

    assert said.code == 1
    assert f"{made} is there already" in said.err
    assert (project / made).read_text("utf-8") == "# mine\n"


def test_a_shipped_name_is_taken(cosell: Cosell) -> None:
    """Ids are unique in a project, whatever folder they lie in."""
    said = cosell("new", "flow", "create-referral")

    assert (said.code, "definitions/cosell/create-referral.flow.yaml" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("flow", "Order To Invoice"), "perhaps order-to-invoice"),
        (("mapping", "lead_contact"), "perhaps lead-contact"),
        (("connector", "Parcel-Service"), "perhaps parcel_service"),
        (("flow", "../order"), "perhaps order"),
        (("flow", "order", "--solution", "cosell"), "--solution our-deals"),
        (("flow", "order", "--solution", "channel"), "--solution our-deals"),
        (("flow", ""), "small letters"),
    ],
)
def test_a_name_that_cannot_be_is_wrong_usage(
    cosell: Cosell, arguments: tuple[str, ...], hint: str
) -> None:
    """With the name that was probably meant; nothing is made."""
    said = cosell("new", *arguments)

    assert said.code == 2
    assert hint in said.err


def test_drafts_go_where_ones_own_files_are(cosell: Cosell) -> None:
    """A second flow lies beside the first, in the solution that was named then."""
    cosell("new", "flow", "first", "--solution", "our-deals")

    said = cosell("--json", "new", "flow", "second")

    assert said.json["files"][0] == "definitions/our-deals/second.flow.yaml"
