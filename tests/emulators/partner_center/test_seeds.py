"""The demo's referrals."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cosell_emulators.partner_center import codes

OBSERVED = {
    "observed.referral.independent-active.json": "Gauge",
    "observed.referral.shared-closed-won.json": "Connected_Harbour_Pilot",
    "observed.referral.shared-active-duns.json": "Best for You Data Estate Review",
}
CLOSED_LISTS = {"status", "substatus", "type", "qualification", "quality", "direction", "method"}


def own(demo: Any) -> list[Any]:
    return [one for one in demo.listed()["value"] if one["organizationName"] != "Microsoft"]


def test_empty_is_empty(world: Any) -> None:
    """The empty seed has no referral."""
    assert world.listed()["value"] == []


def test_enough_of_every_kind(demo: Any) -> None:
    """The demo has fifteen referrals of the partner's or more, in every state."""
    states = {(one["status"], one["substatus"]) for one in own(demo)}

    assert len(own(demo)) >= 15
    assert states == {
        ("New", "Pending"),
        ("New", "Received"),
        ("Active", "Accepted"),
        ("Closed", "Won"),
        ("Closed", "Lost"),
        ("Closed", "Declined"),
        ("Closed", "Expired"),
    }


def test_new_ones_are_not_due_yet(demo: Any) -> None:
    """What waits for an answer can still be answered."""
    now = datetime.now(UTC).isoformat()
    waiting = [one for one in own(demo) if one["status"] == "New"]

    assert waiting
    assert all(one["expirationDateTime"] > now for one in waiting)


def test_microsofts_answers(demo: Any) -> None:
    """Co-sells of ours have Microsoft's referral beside them, in every state."""
    theirs = [one for one in demo.listed()["value"] if one["organizationName"] == "Microsoft"]
    engagements = {one["engagementId"] for one in own(demo)}

    states = {(one["status"], one["substatus"]) for one in theirs}
    assert states == {
        ("New", "Pending"),
        ("Active", "Accepted"),
        ("Closed", "Declined"),
        ("Closed", "Expired"),
    }
    assert {one["engagementId"] for one in theirs} <= engagements


def test_values_are_sound(demo: Any) -> None:
    """Every country, currency and customer makes sense, and no two referrals share a name."""
    deals = own(demo)

    assert {one["customerProfile"]["address"]["country"] for one in deals} <= codes.COUNTRIES
    assert {one["details"]["currency"] for one in deals} <= codes.CURRENCIES
    assert len({one["name"] for one in deals}) == len(deals)


def test_same_identifiers_every_time(demo: Any) -> None:
    """Planting the demo twice gives the same identifiers."""
    first = [one["id"] for one in demo.listed()["value"]]
    demo.control("reset", seed="demo")

    assert [one["id"] for one in demo.listed()["value"]] == first


def shape(value: Any, name: str = "") -> Any:
    """Reduce a document to what is the same in every referral of its kind."""
    if isinstance(value, dict):
        return [(key, shape(inner, key)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner, name) for inner in value]
    if value in (None, "", True, False) or name in CLOSED_LISTS:
        return value
    return type(value).__name__


@pytest.mark.parametrize("name", OBSERVED)
def test_observed_shapes(demo: Any, samples: Path, name: str) -> None:
    """Three referrals have the observed shapes field for field: order, nulls, oddities."""
    observed = json.loads((samples / name).read_text())
    (ours,) = [one for one in own(demo) if one["name"] == OBSERVED[name]]

    assert shape(ours) == shape(observed)


@pytest.mark.parametrize("name", OBSERVED)
def test_observed_values_are_not_taken(demo: Any, samples: Path, name: str) -> None:
    """The values of those three are the project's own."""
    observed = json.loads((samples / name).read_text())
    (ours,) = [one for one in own(demo) if one["name"] == OBSERVED[name]]

    fields = ("id", "engagementId", "name", "organizationId", "eTag", "createdDateTime", "mpnId")
    assert not any(ours[field] == observed[field] for field in fields)


def disagreements(schema: dict[str, Any], value: Any, at: str = "") -> list[str]:
    """Compare a value with the connector's definition; null is fine, unknown names are fine."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "number": (int, float)}
    kind = schema.get("type")
    if value is None or kind is None:
        return []
    if not isinstance(value, kinds[kind]):
        return [at]
    if kind == "array":
        inner = schema.get("items", {})
        return [one for item in value for one in disagreements(inner, item, f"{at}[]")]
    if kind == "object":
        known = schema.get("properties", {})
        return [
            one
            for name, item in value.items()
            for one in disagreements(known.get(name, {}), item, f"{at}/{name}")
        ]
    return []


def test_connector_understands(demo: Any, samples: Path) -> None:
    """Every referral of the demo has the types that Microsoft's own connector expects."""
    definition = json.loads((samples / "connector.swagger.json").read_text())
    (name,) = [one for one in definition["definitions"] if one.endswith("V3.Referral")]
    schema = definition["definitions"][name]

    assert [one for item in demo.listed()["value"] for one in disagreements(schema, item)] == []


def test_connector_finds_its_fields(demo: Any, samples: Path) -> None:
    """Every field that Microsoft's own connector declares is on every referral made anew."""
    definition = json.loads((samples / "connector.swagger.json").read_text())
    (name,) = [one for one in definition["definitions"] if one.endswith("V3.Referral")]
    made = demo.control("microsoft", do="create")
    read = demo.get(made["id"])

    assert set(definition["definitions"][name]["properties"]) <= set(read)
