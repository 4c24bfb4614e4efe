"""Convert a lead: an account, a contact and perhaps an opportunity come of it.

https://developer.salesforce.com/docs/platform/api/guide/sforce-api-calls-convertlead.html
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cosell_emulators.salesforce import mailing
from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.store import Row
from cosell_emulators.salesforce.writing import Doing

_FIRST_STAGE = "Prospecting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller wants of a conversion."""

    lead_id: str
    status: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    opportunity_name: str | None = None
    owner_id: str | None = None
    without_opportunity: bool = False
    overwrite_source: bool = False
    notify: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rows a lead became."""

    lead: Row
    account: Row
    contact: Row
    opportunity: Row | None


def convert(org: Org, wish: Wish, doing: Doing) -> Outcome:
    """Convert a lead, or refuse."""
    with org.store.atomic():
        lead = _named(org, wish.lead_id, "Lead")
        owner_id = _checked(org, lead, wish)
        account = _account(org, lead, wish, owner_id, doing)
        contact = _contact(org, lead, wish, doing, account=account, owner_id=owner_id)
        deal = _opportunity(
            org, lead, wish, doing, account=account, contact=contact, owner_id=owner_id
        )
        moment = doing.now.replace(microsecond=0)
        org.store.merge(
            lead,
            IsConverted=True,
            Status=wish.status,
            IsUnreadByOwner=False,
            ConvertedDate=doing.now.date(),
            ConvertedAccountId=account.id,
            ConvertedContactId=contact.id,
            ConvertedOpportunityId=None if deal is None else deal.id,
            OwnerId=owner_id,
            LastModifiedDate=moment,
            LastModifiedById=doing.user_id,
            SystemModstamp=moment,
        )
        if wish.notify:
            mailing.new_owner(org, contact)
        return Outcome(lead, account, contact, deal)


def _checked(org: Org, lead: Row, wish: Wish) -> str:
    """Check what the wish must fulfil, and find who will own the rows."""
    if lead.get("IsConverted"):
        message = "lead has already been converted"
        raise refusal("CANNOT_UPDATE_CONVERTED_LEAD", message)
    statuses = org.store["LeadStatus"].having("MasterLabel", wish.status)
    if not statuses or not statuses[0].get("IsConverted"):
        raise refusal("INVALID_STATUS", f"invalid convertedStatus: {wish.status}")
    if wish.contact_id is not None and wish.account_id is None:
        message = "a contact id needs the id of its account"
        raise refusal("INVALID_ID_FIELD", message, "contactId")
    owner_id = wish.owner_id or str(lead.get("OwnerId"))
    if org.store.schema.of_id(owner_id) is not org.store.schema["User"]:
        message = (
            "Converted objects can only be owned by users. If the lead is not owned by a user, "
            "you must specify a user for the Owner field."
        )
        raise refusal("UNKNOWN_EXCEPTION", message)
    return _named(org, owner_id, "User").id


def _named(org: Org, key: str, name: str) -> Row:
    row = org.store.living(long_id(key)) if is_id(key) else None
    if row is None or row.type.name != name:
        message = f"invalid cross reference id: {key}"
        raise refusal("INVALID_CROSS_REFERENCE_KEY", message)
    return row


def _account(org: Org, lead: Row, wish: Wish, owner_id: str, doing: Doing) -> Row:
    address = {
        f"Billing{name}": lead.get(name)
        for name in ("Street", "City", "State", "PostalCode", "Country")
    }
    plain = ("Phone", "Fax", "Website", "Industry", "Rating", "AnnualRevenue")
    values = {name: lead.get(name) for name in (*plain, "NumberOfEmployees")} | address
    if wish.account_id is not None:
        return _filled(org, _named(org, wish.account_id, "Account"), values, doing)
    body = {"Name": lead.get("Company"), "OwnerId": owner_id, **values}
    body |= {"AccountSource": lead.get("LeadSource"), "CurrencyIsoCode": _currency(lead)}
    return org.writer.create(org.store.schema["Account"], _given(body), doing)


def _contact(org: Org, lead: Row, wish: Wish, doing: Doing, *, account: Row, owner_id: str) -> Row:
    names = ("FirstName", "LastName", "Salutation", "Title", "Email", "Phone", "MobilePhone")
    values = {name: lead.get(name) for name in (*names, "Fax", "Description", "LeadSource")}
    values |= {
        f"Mailing{name}": lead.get(name)
        for name in ("Street", "City", "State", "PostalCode", "Country")
    }
    if wish.contact_id is not None:
        contact = _named(org, wish.contact_id, "Contact")
        if wish.overwrite_source:
            body = {"LeadSource": lead.get("LeadSource")}
            org.writer.update(contact, body, doing)
        return _filled(org, contact, values, doing)
    body = {**values, "AccountId": account.id, "OwnerId": owner_id}
    body["CurrencyIsoCode"] = _currency(lead)
    return org.writer.create(org.store.schema["Contact"], _given(body), doing)


def _opportunity(
    org: Org, lead: Row, wish: Wish, doing: Doing, *, account: Row, contact: Row, owner_id: str
) -> Row | None:
    if wish.opportunity_id is not None:
        deal = _named(org, wish.opportunity_id, "Opportunity")
        _role(org, deal, contact, doing)
        return deal
    if wish.without_opportunity:
        return None
    body = {
        "Name": str(wish.opportunity_name or lead.get("Company"))[:120],
        "AccountId": account.id,
        "OwnerId": owner_id,
        "StageName": _FIRST_STAGE,
        "CloseDate": _quarter_end(doing.now.date()).isoformat(),
        "LeadSource": lead.get("LeadSource"),
        "CurrencyIsoCode": _currency(lead),
        "ContactId": contact.id,
    }
    return org.writer.create(org.store.schema["Opportunity"], _given(body), doing)


def _role(org: Org, deal: Row, contact: Row, doing: Doing) -> None:
    roles = org.store["OpportunityContactRole"].having("OpportunityId", deal.id)
    if not any(role.get("ContactId") == contact.id for role in roles):
        body = {"OpportunityId": deal.id, "ContactId": contact.id, "IsPrimary": not roles}
        org.writer.create(org.store.schema["OpportunityContactRole"], body, doing)


def _filled(org: Org, row: Row, values: dict[str, Any], doing: Doing) -> Row:
    """Fill the empty fields of a row that was there before."""
    new = {name: value for name, value in _given(values).items() if row.get(name) is None}
    return org.writer.update(row, new, doing) if new else row


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _currency(lead: Row) -> Any:
    return lead.get("CurrencyIsoCode")


def _quarter_end(today: date) -> date:
    month = (today.month + 2) // 3 * 3
    first_after = date(today.year + month // 12, month % 12 + 1, 1)
    return first_after - timedelta(days=1)
