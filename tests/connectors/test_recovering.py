"""Find out whether a write happened whose answer was lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cosell_connectors.model import Connector
from cosell_connectors.recovering import found, question

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
GUID = "31a40b52-cda1-5004-ada6-add410fe614c"


def test_our_own_referral_is_looked_for_among_the_newest(partner_center: Connector) -> None:
    """All of them, newest first: a bound in time would trust their clock to be ours."""
    create = partner_center.operations["create_referral"]

    asked = question(create, {"referral": {"externalReferenceId": "006"}}, intended_at=AT)

    assert asked is not None
    assert (asked.operation, asked.arguments) == (
        "list_recent_referrals",
        {},
    )


def test_microsofts_half_is_looked_for_in_its_engagement(partner_center: Connector) -> None:
    """A connected referral belongs to an engagement, which lists it at any age."""
    create = partner_center.operations["create_referral"]
    referral = {
        "engagementId": GUID,
        "externalReferenceId": "006",
        "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
    }

    asked = question(create, {"referral": referral}, intended_at=AT)

    assert asked is not None
    assert (asked.operation, asked.arguments) == ("related_referrals", {"engagement_id": GUID})


@pytest.mark.parametrize(
    "arguments",
    [{}, {"referral": {}}, {"referral": {"externalReferenceId": ""}}],
)
def test_without_anything_to_compare_nothing_is_asked(
    partner_center: Connector, arguments: dict[str, Any]
) -> None:
    """Where any referral would look like ours, no guess is made."""
    assert question(partner_center.operations["create_referral"], arguments, intended_at=AT) is None


def test_the_record_that_was_made_is_found(partner_center: Connector) -> None:
    """Among the candidates, the one that carries our reference is ours."""
    arguments = {"referral": {"externalReferenceId": "006"}}
    create = partner_center.operations["create_referral"]
    asked = question(create, arguments, intended_at=AT)
    assert asked is not None
    listed = [{"id": "a", "externalReferenceId": "007"}, {"id": "b", "externalReferenceId": "006"}]

    assert found(asked, {"referrals": listed}, arguments) == listed[1]


def test_what_was_not_made_is_not_found(partner_center: Connector) -> None:
    """Our half of the engagement is not taken for Microsoft's."""
    arguments = {"referral": {"engagementId": GUID, "target": [{"id": "msft"}]}}
    create = partner_center.operations["create_referral"]
    asked = question(create, arguments, intended_at=AT)
    assert asked is not None
    listed = [{"id": "a", "target": [{"id": "SOL-1"}]}, {"id": "b", "target": []}]

    assert found(asked, {"referrals": listed}, arguments) is None


def test_a_registration_is_its_own_candidate(events: Connector) -> None:
    """There is one registration at most: if it has our address, it was made."""
    arguments = {"url": "https://me/hook", "events": []}
    asked = question(events.operations["register"], arguments, intended_at=AT)
    assert asked is not None

    assert found(asked, {"WebhookUrl": "https://me/hook"}, arguments) is not None


def test_a_write_without_a_rule_cannot_be_asked_about(salesforce: Connector) -> None:
    """Salesforce has no way to tell whether a create happened."""
    arguments = {"object": "Lead", "fields": {"Company": "A"}}

    assert question(salesforce.operations["create_record"], arguments, intended_at=AT) is None


def test_a_candidate_must_say_what_it_should(salesforce: Connector) -> None:
    """A lead that was not converted is no conversion, although it is the lead."""
    operation = salesforce.operations["convert_lead"]
    arguments = {"id": "00Q000000000001AAA"}
    asked = question(operation, arguments, intended_at=datetime(2026, 11, 26, tzinfo=UTC))
    assert asked is not None

    told = [found(asked, {"id": "1", "converted": one}, arguments) for one in (False, True)]

    assert told == [None, {"id": "1", "converted": True}]
