"""What Microsoft does, by control call and by the passing of time."""

from datetime import datetime, timedelta
from typing import Any

import pytest

DAY = 86_400


def test_default_deal(world: Any) -> None:
    """A deal from Microsoft is a new shared co-sell, complete, to answer within fourteen days."""
    deal = world.control("microsoft", do="create")
    life = datetime.fromisoformat(deal["expirationDateTime"]) - datetime.fromisoformat(
        deal["createdDateTime"]
    )

    states = (deal["type"], deal["status"], deal["substatus"], life)
    assert states == ("Shared", "New", "Pending", timedelta(days=14))
    assert deal["inviteContext"]["invitedBy"]["organizationId"] == "msft"
    assert deal["customerProfile"]["team"]
    assert deal["details"]["requirements"]["solutions"]


def test_fields_are_merged(world: Any) -> None:
    """Fields are merged deep into the default; null empties."""
    fields = {"name": "Dairy", "details": {"dealValue": 12.30, "notes": None}}
    deal = world.control("microsoft", do="create", fields=fields)

    details = deal["details"]
    seen = (deal["name"], details["dealValue"], details["notes"], details["currency"])
    assert seen == ("Dairy", 12.3, None, "USD")


def test_created_deal_is_listed(world: Any) -> None:
    """A deal from Microsoft is found in the list, as the control call answered it."""
    deal = world.control("microsoft", do="create")

    assert world.listed()["value"] == [deal]


def test_acceptance(world: Any, deal: dict[str, Any]) -> None:
    """Microsoft accepts: its referral is active, both carry the number of its own system."""
    own, theirs = world.co_sell(deal)
    answer = world.control("microsoft", do="accept", id=own["id"])
    accepted = world.get(theirs["id"])

    number = answer["trackingInfo"]["microsoftMsxId"]
    assert (accepted["status"], accepted["substatus"]) == ("Active", "Accepted")
    assert number is not None
    assert accepted["trackingInfo"]["microsoftMsxId"] == number
    assert world.get(own["id"])["eTag"] == answer["eTag"] != own["eTag"]


def test_number_can_be_chosen(world: Any, deal: dict[str, Any]) -> None:
    """The number of Microsoft's system can be given."""
    own, _ = world.co_sell(deal)
    fields = {"trackingInfo": {"microsoftMsxId": "7-ABC"}}
    answer = world.control("microsoft", do="accept", id=own["id"], fields=fields)

    assert answer["trackingInfo"]["microsoftMsxId"] == "7-ABC"


def test_declining_leaves_ours_alone(world: Any, deal: dict[str, Any]) -> None:
    """Microsoft declines: its referral closes, ours goes on untouched."""
    own, theirs = world.co_sell(deal)
    answer = world.control("microsoft", do="decline", id=own["id"])
    declined = world.get(theirs["id"])

    assert (declined["status"], declined["substatus"]) == ("Closed", "Declined")
    assert (answer["status"], answer["eTag"]) == ("Active", own["eTag"])


def test_update(world: Any, deal: dict[str, Any]) -> None:
    """Somebody changes our referral in the portal, the closing included."""
    own = world.create(deal)
    fields = {"status": "Closed", "substatus": "Won", "details": {"dealValue": 5}}
    answer = world.control("microsoft", do="update", id=own["id"], fields=fields)

    seen = (answer["substatus"], answer["details"]["dealValue"], answer["closedDateTime"] is None)
    assert seen == ("Won", 5, False)
    assert answer["details"]["notes"] == "Twelve cranes."


def test_portal_closes_as_error(world: Any, deal: dict[str, Any]) -> None:
    """The portal can close a deal as erroneous, which the API's own table does not know."""
    own = world.create(deal)
    fields = {"status": "Closed", "substatus": "Error"}
    answer = world.control("microsoft", do="update", id=own["id"], fields=fields)

    assert answer["substatus"] == "Error"


def test_expire_ours(world: Any) -> None:
    """A new referral of ours expires at once."""
    deal = world.control("microsoft", do="create")
    answer = world.control("microsoft", do="expire", id=deal["id"])

    assert (answer["status"], answer["substatus"]) == ("Closed", "Expired")


def test_expire_microsofts(world: Any, deal: dict[str, Any]) -> None:
    """Where ours is active and Microsoft's is new, it is Microsoft's that lapses."""
    own, theirs = world.co_sell(deal)
    answer = world.control("microsoft", do="expire", id=own["id"])

    assert (answer["status"], world.get(theirs["id"])["substatus"]) == ("Active", "Expired")


@pytest.mark.parametrize(("days", "status"), [(13.9, "New"), (14.1, "Closed")])
def test_fourteen_days(world: Any, days: float, status: str) -> None:
    """A deal nobody answered expires after fourteen emulated days, not before."""
    deal = world.control("microsoft", do="create")
    world.control("clock", advance_s=days * DAY)
    world.token = world.new_token("https://api.partner.microsoft.com")

    assert world.get(deal["id"])["status"] == status


def test_accepted_deals_do_not_expire(world: Any) -> None:
    """A deal that was accepted in time stays active."""
    deal = world.control("microsoft", do="create")
    world.patch(deal["id"], ("/status", "Active"), ("/substatus", "Accepted"))
    world.control("clock", advance_s=20 * DAY)
    world.token = world.new_token("https://api.partner.microsoft.com")

    assert world.get(deal["id"])["status"] == "Active"


def test_microsofts_own_lapses_too(world: Any, deal: dict[str, Any]) -> None:
    """Microsoft has the same fourteen days; its lapsing leaves ours alone."""
    own, theirs = world.co_sell(deal)
    world.control("clock", advance_s=15 * DAY)
    world.token = world.new_token("https://api.partner.microsoft.com")

    states = (world.get(own["id"])["status"], world.get(theirs["id"])["substatus"])
    assert states == ("Active", "Expired")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"do": "dance"},
        {"do": "accept"},
        {"do": "update", "id": "nonsense"},
        {"do": "create", "fields": {"details": {"dealValue": "many"}}},
        {"do": "create", "fields": {"details": {"currency": "EURO"}}},
        {"do": "create", "fields": {"status": "Active"}},
        {"do": "create", "fields": []},
        {"do": "create", "colour": "blue"},
    ],
)
def test_senseless_acts_are_refused(world: Any, body: dict[str, Any]) -> None:
    """An act that makes no sense answers 400 with a sentence."""
    assert world.refused("microsoft", **body).endswith(".")


@pytest.mark.parametrize("act", ["accept", "decline", "expire"])
def test_nothing_to_answer(world: Any, deal: dict[str, Any], act: str) -> None:
    """Microsoft cannot answer what was not sent to it, nor answer twice."""
    own = world.create(deal)
    first = world.refused("microsoft", do=act, id=own["id"])
    target = [{"type": "BusinessProfileLocation", "id": "msft"}]
    world.create(deal | {"engagementId": own["engagementId"], "target": target})
    world.control("microsoft", do=act, id=own["id"])
    second = world.refused("microsoft", do=act, id=own["id"])

    assert ("not sent" in first, "answered already" in second) == (True, True)


def test_closed_does_not_open(world: Any) -> None:
    """Not even Microsoft opens a closed referral again."""
    deal = world.control("microsoft", do="create")
    world.control("microsoft", do="expire", id=deal["id"])
    fields = {"status": "Active", "substatus": "Accepted"}

    assert "does not go" in world.refused("microsoft", do="update", id=deal["id"], fields=fields)
