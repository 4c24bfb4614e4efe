"""Everything partner channel management needs can be said with an operation of the Salesforce page."""

from __future__ import annotations

import asyncio
from typing import Any

from cosell_connectors.errors import ConnectorError

from .conftest import Org


async def ids(org: Org, query: str) -> list[str]:
    found = await org.ask("query", q=query)
    return [str(one["Id"]) for one in found["records"]]


async def partner_user(org: Org, name: str) -> dict[str, Any]:
    """What makes a partner user: an enabled account, a contact, a profile."""
    account = await org.made("Account", Name=name)
    await org.ask("update_record", object="Account", id=account, fields={"IsPartner": True})
    contact = await org.made("Contact", LastName=name, AccountId=account)
    profiles = await ids(org, "SELECT Id FROM Profile WHERE UserType = 'PowerPartner'")
    return {
        "Username": f"{name}@partner.example",
        "LastName": name,
        "Alias": name[:8],
        "Email": f"{name}@partner.example",
        "ContactId": contact,
        "ProfileId": profiles[0],
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }


async def test_a_partner_user_is_welcomed_by_mail(org: Org) -> None:
    """Account enabled, contact made, user made, and the mail with the login sent."""
    user = await partner_user(org, "newpartner")

    told = await org.ask("create_records_with_mail", object="User", records=[user])

    mails = (await org.control("mails"))["mails"]
    row = await org.read("User", told["results"][0]["id"])
    assert (row["UserType"], len(mails), user["Email"] in str(mails)) == ("PowerPartner", 1, True)


async def test_a_partner_user_without_a_partner_is_forbidden(org: Org) -> None:
    """The row says so, with the code of Salesforce."""
    user = await partner_user(org, "other")
    account = await org.made("Account", Name="No partner")
    contact = await org.made("Contact", LastName="Doe", AccountId=account)

    told = await org.ask(
        "create_records_with_mail", object="User", records=[{**user, "ContactId": contact}]
    )

    error = told["results"][0]["error"]
    assert (error["class"], error["code"]) == ("forbidden", "PORTAL_NO_ACCESS")


async def test_a_queue_is_made_with_its_members(org: Org) -> None:
    """Group, what it holds, and who is in it; then a lead is given to it."""
    queue = await org.made("Group", Type="Queue", Name="Nordics", DeveloperName="Nordics")
    await org.made("QueueSobject", QueueId=queue, SobjectType="Lead")
    await org.made("GroupMember", GroupId=queue, UserOrGroupId=org.user("sara.seller"))
    lead = await org.lead()

    await org.ask("update_record", object="Lead", id=lead, fields={"OwnerId": queue})

    assert (await org.read("Lead", lead))["OwnerId"] == queue


async def test_a_rule_assigns_where_it_is_asked_to(org: Org) -> None:
    """Without it a lead keeps its owner; by its id, also in bulk, the rule decides."""
    queue = (await ids(org, "SELECT Id FROM Group WHERE Type = 'Queue'"))[0]
    rule = (await ids(org, "SELECT Id FROM AssignmentRule WHERE SobjectType = 'Lead'"))[0]
    await org.control("org", {"assignment_entries": [{"fits": {"City": "Oslo"}, "owner": queue}]})
    lead = {"LastName": "Lee", "Company": "A", "City": "Oslo"}

    async def owner(**more: Any) -> str:
        made = await org.ask("create_record", object="Lead", fields=lead, **more)
        return str((await org.read("Lead", made["id"]))["OwnerId"])

    job = await org.ask("create_ingest_job", object="Lead", operation="insert", rule=rule)
    await org.ask("upload_rows", id=job["id"], rows=[lead])
    await org.ask("close_ingest_job", id=job["id"])
    await org.ask("ingest_job", id=job["id"])
    loaded = (await org.ask("written_rows", id=job["id"]))["rows"][0]["sf__Id"]

    assert [await owner() == queue, await owner(auto_assign=rule) == queue] == [False, True]
    assert (await org.read("Lead", loaded))["OwnerId"] == queue


async def test_a_rule_is_not_run_by_a_composite(org: Org) -> None:
    """Calls within one are kept from the rule as calls by themselves are."""
    queue = (await ids(org, "SELECT Id FROM Group WHERE Type = 'Queue'"))[0]
    await org.control("org", {"assignment_entries": [{"fits": {"City": "Oslo"}, "owner": queue}]})
    body = {"LastName": "Lee", "Company": "A", "City": "Oslo"}
    call = {"method": "POST", "url": "/sobjects/Lead", "referenceId": "lead", "body": body}

    told = await org.ask("composite", calls=[call])

    lead = await org.read("Lead", told["results"][0]["body"]["id"])
    assert lead["OwnerId"] != queue


async def test_a_claim_sees_that_somebody_was_faster(org: Org) -> None:
    """Who read the lead before another changed it gets a conflict, not the lead."""
    lead = await org.lead()
    read = (await org.read("Lead", lead))["LastModifiedDate"]
    await org.control("clock", {"advance_s": 5})
    mine, theirs = org.user("sara.seller"), org.user("integration")

    async def claim(owner: str) -> str:
        try:
            await org.ask(
                "update_record",
                object="Lead",
                id=lead,
                fields={"OwnerId": owner},
                unmodified_since=read,
            )
        except ConnectorError as error:
            return error.error_class
        return "claimed"

    assert sorted([await claim(mine), await claim(theirs)]) == ["claimed", "conflict"]


async def test_account_team_members_are_added_by_the_dozen(org: Org) -> None:
    """More than the page's five in one call; one that does not fit is told by its place."""
    account = await org.made("Account", Name="Acme")
    users = await ids(org, "SELECT Id FROM User WHERE UserType = 'Standard' AND IsActive = true")
    member = {"AccountId": account, "TeamMemberRole": "Account Manager"}
    rows = [{**member, "UserId": one, "OpportunityAccessLevel": "Edit"} for one in users]
    rows.append({**member, "UserId": "005000000000000AAA"})

    told = await org.ask("create_records", object="AccountTeamMember", records=rows)

    assert [one["success"] for one in told["results"]] == [*[True] * len(users), False]


async def test_one_sign_in_serves_calls_of_every_kind(org: Org) -> None:
    """REST, SOAP and bulk at once ask for one token."""
    lead = await org.lead()
    await org.control("org", {"end_sessions": True})
    before = (await org.control("requests"))["requests"]

    await asyncio.gather(
        org.ask("limits"),
        org.ask("list_metadata", type="CustomObject"),
        org.ask("create_query_job", query="SELECT Id FROM Lead"),
        org.ask("update_records_with_mail", object="Lead", records=[{"Id": lead, "City": "Oslo"}]),
    )

    asked = (await org.control("requests"))["requests"][len(before) :]
    assert sum(one["path"].endswith("/oauth2/token") for one in asked) == 1
