"""Sample values go left to right and back: what a field of the org would change is found before it does."""

from __future__ import annotations

from typing import Any

import pytest

from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.parsing import load_mapping
from cosell_flows.syncing.mirror import mirror_of
from cosell_flows.syncing.round_trips import losses

HEAD = """\
mapping: v1
id: example
left: { connection: partner_center, object: Referral, key: id, version: eTag }
right: { connection: salesforce, object: Opportunity, key: Key__c, version: SystemModstamp }
fields:
  - { left: a, right: B, ROW }
tables:
  help:
    - { left: One, right: First }
    - { left: Two, right: Second }
    - { left: Three, right: First }
"""


def lost(row: str, **described: Any) -> list[str]:
    """What a row loses on a field that describes itself so."""
    made, problems = load_mapping(HEAD.replace("ROW", row), file="definitions/x/example.map.yaml")
    assert isinstance(made, MappingFile), problems
    mirror = mirror_of(made, {})
    return [str(one) for one in losses(mirror.rows[0], {"name": "B", **described})]


@pytest.mark.parametrize(
    ("row", "described"),
    [
        ("type: money", {"type": "currency", "scale": 2}),
        ("type: text", {"type": "textarea", "length": 32000}),
        ("type: text, max_length: 80", {"type": "string", "length": 80}),
        ("type: date", {"type": "date"}),
        ("type: date", {"type": "string", "length": 40}),
        ("type: boolean", {"type": "boolean"}),
        ("type: currency", {"type": "picklist", "length": 3}),
        ("type: country", {"type": "string", "length": 80}),
        ("type: datetime", {"type": "datetime"}),
    ],
)
def test_a_field_that_fits_loses_nothing(row: str, described: dict[str, Any]) -> None:
    """Every sample of the row's type comes back equal."""
    assert lost(row, **described) == []


@pytest.mark.parametrize(
    ("row", "described", "told"),
    [
        ("type: money", {"type": "int"}, "comes back as"),
        ("type: money", {"type": "currency", "scale": 0}, "comes back as"),
        ("type: money", {"type": "boolean"}, "is a checkbox"),
        ("type: text", {"type": "string", "length": 80}, "max_length: 80"),
        ("type: text", {"type": "double", "scale": 2}, "is a number"),
        ("type: boolean", {"type": "date"}, "is a date"),
        ("type: datetime", {"type": "date"}, "comes back as"),
        (
            "type: country",
            {"type": "picklist", "restrictedPicklist": True, "picklistValues": [{"value": "DK"}]},
            "none of the values",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_named(row: str, described: dict[str, Any], told: str) -> None:
    """What would be rounded, cut or refused is told with a sample that shows it."""
    found = lost(row, **described)

    assert found, "nothing was lost"
    assert told in " ".join(found)


def test_a_word_that_means_two_things_is_named() -> None:
    """A table in which one word stands for two does not come back; the row above it wins."""
    (loss,) = lost("table: help", type="string", length=80)

    assert ("Three" in loss, "One" in loss) == (True, True)


@pytest.mark.parametrize("restricted", [True, False])
def test_a_word_that_the_picklist_lacks_is_named(restricted: bool) -> None:
    """Words of a table must be values of the field, though stages would take any."""
    values = [{"value": "first"}, {"value": "Sekond"}]

    found = lost("table: help, direction: left_to_right", type="picklist",
                 restrictedPicklist=restricted, picklistValues=values)  # fmt: skip

    assert found == ["'Second' is none of the values of B; did you mean 'Sekond'?"]
