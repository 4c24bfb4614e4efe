"""What the Salesforce page says, against the emulator: SOAP, trees, composites, bulk, list views."""

from __future__ import annotations

import logging
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cosell_connectors.errors import BadArguments

from .conftest import Org

STATUS = "Closed - Converted"


# -- converting leads


async def test_a_lead_is_converted(org: Org) -> None:
    """An account, a contact and an opportunity come of it, and are named."""
    lead = await org.lead(Company="Contoso & Söhne <GmbH>")

    made = await org.ask("convert_lead", id=lead, status=STATUS)

    deal = await org.read("Opportunity", made["opportunity_id"])
    account = await org.read("Account", made["account_id"])
    assert (made["id"], deal["AccountId"], account["Name"]) == (
        lead,
        made["account_id"],
        "Contoso & Söhne <GmbH>",
    )


async def test_a_lead_can_be_converted_without_an_opportunity(org: Org) -> None:
    """Typed parameters reach the call: no opportunity, and an account that is there."""
    account = await org.made("Account", Name="Acme")
    lead = await org.lead()

    made = await org.ask(
        "convert_lead", id=lead, status=STATUS, account_id=account, without_opportunity=True
    )

    assert (made["account_id"], made["opportunity_id"]) == (account, None)


async def test_what_became_of_a_lead_can_be_asked(org: Org) -> None:
    """The answer has the names of the conversion's own."""
    lead = await org.lead()
    made = await org.ask("convert_lead", id=lead, status=STATUS)

    told = await org.ask("conversion", id=lead)

    assert told == {**made, "converted": True}


async def test_a_conversion_that_is_refused_fails_the_call(org: Org) -> None:
    """SOAP answers 200 and `success: false`; a flow must not take that for a conversion."""
    lead = await org.lead()
    await org.ask("convert_lead", id=lead, status=STATUS)

    error = await org.refused("convert_lead", id=lead, status=STATUS)

    assert (error.error_class, error.code, error.record, error.happened) == (
        "invalid",
        "CANNOT_UPDATE_CONVERTED_LEAD",
        lead,
        "no",
    )


async def test_a_lead_of_a_queue_needs_an_owner(org: Org) -> None:
    """The refusal says so, in the words of Salesforce."""
    found = await org.ask("query", q="SELECT Id FROM Group WHERE Type = 'Queue' LIMIT 1")
    lead = await org.lead(OwnerId=found["records"][0]["Id"])

    refused = await org.refused("convert_lead", id=lead, status=STATUS)
    made = await org.ask("convert_lead", id=lead, status=STATUS, owner_id=org.user("sara.seller"))

    deal = await org.read("Opportunity", made["opportunity_id"])
    assert (refused.error_class, deal["OwnerId"]) == ("invalid", org.user("sara.seller"))


async def test_no_character_breaks_out_of_an_element(org: Org) -> None:
    """What a field says stays in the field, whatever it says."""
    lead = await org.lead()
    name = "]]></opportunityName><ownerId>005</ownerId> & \"x\" 'y' <?token?> 日本"

    made = await org.ask("convert_lead", id=lead, status=STATUS, opportunity_name=name)

    assert (await org.read("Opportunity", made["opportunity_id"]))["Name"] == name


async def test_what_xml_cannot_say_is_not_sent(org: Org) -> None:
    """A control character is refused here, with the name of its field."""
    lead = await org.lead()

    with pytest.raises(BadArguments, match="opportunityName has a character in it"):
        await org.ask("convert_lead", id=lead, status=STATUS, opportunity_name="a\x0bb")


# -- the session


async def test_a_stale_session_is_renewed_once(org: Org) -> None:
    """SOAP says it with a fault and 500; the call is signed again and goes well."""
    lead = await org.lead()
    await org.control("org", {"end_sessions": True})

    made = await org.ask("convert_lead", id=lead, status=STATUS)

    assert made["id"] == lead


async def test_a_session_that_stays_refused_is_unauthorized(org: Org) -> None:
    """One more try, and then a class; the token is nowhere in what is said."""
    await org.ask("limits")
    fault = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
        '<faultcode xmlns:sf="urn:fault">sf:INVALID_SESSION_ID</faultcode>'
        "<faultstring>INVALID_SESSION_ID: Illegal Session</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    told = {"status": 500, "headers": {"Content-Type": "text/xml"}, "body": fault}
    await org.control(
        "faults", {"match": {"method": "POST", "path": "/Soap/"}, "then": told, "times": None}
    )

    error = await org.refused("convert_lead", id="00Q000000000001AAA", status=STATUS)

    asked = [one for one in (await org.control("requests"))["requests"] if "Soap" in one["path"]]
    assert (error.error_class, error.happened, len(asked)) == ("unauthorized", "no", 2)


async def test_a_session_id_is_told_nowhere(org: Org, caplog: pytest.LogCaptureFixture) -> None:
    """Not in logs, not in errors, not in what the emulator shows, not in a header."""
    caplog.set_level(logging.DEBUG)
    lead = await org.lead()

    error = await org.refused("convert_lead", id=lead, status="No such status")

    token = next(iter(org.emulator.tokens._sessions))
    shown = str(await org.control("requests"))
    soap = [one for one in (await org.control("requests"))["requests"] if "Soap" in one["path"]]
    said = caplog.text + str(error) + repr(error) + repr(error.__dict__) + shown
    assert (token in said, "sessionId>***<" in shown, "authorization" in soap[0]["headers"]) == (
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("sf:INVALID_FIELD", ("invalid", "INVALID_FIELD", "no")),
        ("sf:UNABLE_TO_LOCK_ROW", ("locked", "UNABLE_TO_LOCK_ROW", "no")),
        ("sf:REQUEST_LIMIT_EXCEEDED", ("rate_limited", "REQUEST_LIMIT_EXCEEDED", "no")),
        ("sf:SERVER_UNAVAILABLE", ("unavailable", "SERVER_UNAVAILABLE", "maybe")),
        ("sf:UNKNOWN_EXCEPTION", ("unavailable", "UNKNOWN_EXCEPTION", "maybe")),
        ("soapenv:Server", ("unavailable", "Server", "maybe")),
        ("soapenv:Client", ("invalid", "Client", "no")),
    ],
)
async def test_faults_are_classes(org: Org, code: str, expected: tuple[str, str, str]) -> None:
    """SOAP answers every refusal with 500; the code tells whose fault it is."""
    fault = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>{code}</faultcode><faultstring>why</faultstring>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    told = {"status": 500, "headers": {"Content-Type": "text/xml"}, "body": fault}
    await org.control("faults", {"match": {"method": "POST", "path": "/Soap/"}, "then": told})

    error = await org.refused("convert_lead", id="00Q000000000001AAA", status=STATUS)

    assert (error.error_class, error.code, error.happened) == expected


# -- mails


async def test_a_new_owner_is_told_by_mail(org: Org) -> None:
    """REST cannot; `update` with EmailHeader does, and a null empties a field."""
    lead = await org.lead(Description="old")
    owner = org.user("sara.seller")

    told = await org.ask(
        "update_records_with_mail",
        object="Lead",
        records=[{"OwnerId": owner, "Id": lead, "Description": None}],
    )

    mails = (await org.control("mails"))["mails"]
    row = await org.read("Lead", lead)
    assert (told["results"][0]["success"], row["OwnerId"], row["Description"], len(mails)) == (
        True,
        owner,
        None,
        1,
    )


async def test_no_mail_is_sent_that_is_not_wanted(org: Org) -> None:
    """`mail_user: false` changes the owner quietly."""
    lead = await org.lead()

    await org.ask(
        "update_records_with_mail",
        object="Lead",
        records=[{"Id": lead, "OwnerId": org.user("sara.seller")}],
        mail_user=False,
    )

    assert (await org.control("mails"))["mails"] == []


async def test_rows_of_soap_fail_one_by_one(org: Org) -> None:
    """Each that failed carries class, code, field, and the record it is about."""
    good, bad = await org.lead(), await org.lead()

    told = await org.ask(
        "update_records_with_mail",
        object="Lead",
        records=[{"Id": good, "City": "Oslo"}, {"Id": bad, "LastName": "x" * 100}],
    )

    first, second = told["results"]
    assert (first["success"], second["error"]["class"], second["error"]["code"]) == (
        True,
        "invalid",
        "STRING_TOO_LONG",
    )
    assert (second["error"]["field"], second["error"]["record"]) == ("LastName", bad)


async def test_types_survive_soap(org: Org) -> None:
    """Decimals keep their digits, dates are ISO 8601, booleans true and false."""
    deal = await org.made(
        "Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-12-31"
    )

    await org.ask(
        "update_records_with_mail",
        object="Opportunity",
        records=[
            {
                "Id": deal,
                "Amount": Decimal("1234567.89"),
                "CloseDate": date(2027, 1, 31),
                "Sync_with_Partner_Center__c": True,
            }
        ],
    )

    row = await org.read("Opportunity", deal)
    assert (row["Amount"], row["CloseDate"], row["Sync_with_Partner_Center__c"]) == (
        Decimal("1234567.89"),
        "2027-01-31",
        True,
    )


async def test_a_password_is_never_given_out(org: Org) -> None:
    """A reset mails the user; the answer holds the new password, and the output does not."""
    made = await org.ask("reset_password", id=org.user("sara.seller"))

    assert (made, len((await org.control("mails"))["mails"])) == ({"nothing": None}, 1)


# -- calls that belong together


def family(**of_contact: Any) -> list[dict[str, Any]]:
    contact = {
        "attributes": {"type": "Contact", "referenceId": "ann"},
        "LastName": "Lee",
        **of_contact,
    }
    account = {"attributes": {"type": "Account", "referenceId": "acme"}, "Name": "Acme"}
    return [{**account, "Contacts": {"records": [contact]}}]


async def test_a_tree_is_planted(org: Org) -> None:
    """An account and its contact in one call; each new id by its name."""
    told = await org.ask("create_tree", object="Account", records=family())

    ids = {one["referenceId"]: one["id"] for one in told["results"]}
    assert (await org.read("Contact", ids["ann"]))["AccountId"] == ids["acme"]


async def test_a_tree_that_fails_names_record_and_field(org: Org) -> None:
    """Nothing is made, and the error says which record would not do, and why."""
    error = await org.refused("create_tree", object="Account", records=family(Email="no address"))

    found = await org.ask("query", q="SELECT Id FROM Account WHERE Name = 'Acme'")
    assert (error.error_class, error.code, error.record, error.field, found["total_size"]) == (
        "invalid",
        "INVALID_EMAIL_ADDRESS",
        "ann",
        "Email",
        0,
    )


async def test_a_later_call_uses_an_earlier_answer(org: Org) -> None:
    """Addresses are written after the version; the version is the connection's."""
    told = await org.ask(
        "composite",
        calls=[
            {
                "method": "POST",
                "url": "/sobjects/Account",
                "referenceId": "a",
                "body": {"Name": "A"},
            },
            {
                "method": "POST",
                "url": "/sobjects/Contact",
                "referenceId": "c",
                "body": {"LastName": "Lee", "AccountId": "@{a.id}"},
            },
        ],
    )

    account, contact = (one["body"]["id"] for one in told["results"])
    assert (await org.read("Contact", contact))["AccountId"] == account


async def test_a_call_of_a_composite_that_fails_says_so(org: Org) -> None:
    """The whole answers 200; the call at fault and the one that was halted carry an error."""
    told = await org.ask(
        "composite",
        calls=[
            {
                "method": "POST",
                "url": "/sobjects/Account",
                "referenceId": "a",
                "body": {"Name": "A"},
            },
            {
                "method": "POST",
                "url": "/sobjects/Contact",
                "referenceId": "c",
                "body": {"Fax": "1"},
            },
        ],
    )

    errors = [one["error"] for one in told["results"]]
    assert [(one["class"], one["code"], one["field"], one["record"]) for one in errors] == [
        ("invalid", "PROCESSING_HALTED", None, "a"),
        ("invalid", "REQUIRED_FIELD_MISSING", "LastName", "c"),
    ]


@pytest.mark.parametrize("url", ["https://evil.example/x", "//evil.example/x", "sobjects/Lead", 5])
async def test_an_address_within_a_call_stays_in_the_org(org: Org, url: Any) -> None:
    """What does not begin with one slash is refused before anything is sent."""
    with pytest.raises(BadArguments, match=r"no address below /services/data/v68\.0"):
        await org.ask("composite", calls=[{"method": "GET", "url": url, "referenceId": "a"}])


async def test_graphs_stand_alone(org: Org) -> None:
    """One graph is made, the other undone; its calls carry their errors."""

    def graph(name: str, **body: Any) -> dict[str, Any]:
        part = {"method": "POST", "url": "/sobjects/Account", "referenceId": "a", "body": body}
        return {"graphId": name, "compositeRequest": [part]}

    told = await org.ask("composite_graph", graphs=[graph("1", Name="One"), graph("2", Phone="1")])

    parts = [one["graphResponse"]["compositeResponse"][0] for one in told["graphs"]]
    assert ([one["isSuccessful"] for one in told["graphs"]], "error" in parts[0]) == (
        [True, False],
        False,
    )
    assert parts[1]["error"]["field"] == "Name"


async def test_calls_of_a_batch_stand_alone(org: Org) -> None:
    """Each that failed carries its class by its own status."""
    told = await org.ask(
        "composite_batch",
        calls=[
            {"method": "GET", "url": "/limits"},
            {"method": "GET", "url": "/sobjects/Account/001000000000000AAA"},
        ],
    )

    first, second = told["results"]
    assert (first["statusCode"], "error" in first) == (200, False)
    assert (second["error"]["class"], second["error"]["record"]) == (
        "not_found",
        "/sobjects/Account/001000000000000AAA",
    )


async def test_rows_of_a_collection_name_their_record(org: Org) -> None:
    """Salesforce says no id of a row that failed; the call knows which it was."""
    good, bad = await org.lead(), await org.lead()

    told = await org.ask(
        "update_records",
        object="Lead",
        records=[{"id": good, "City": "Oslo"}, {"id": bad, "LastName": "x" * 100}],
    )

    error = told["results"][1]["error"]
    assert (error["record"], error["field"]) == (bad, "LastName")


async def test_records_are_made_or_changed_by_a_key(org: Org) -> None:
    """Up to 200 in one call; each result says whether it was made."""
    deal = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    key = "Referral_Identifier__c"
    row = {**deal, key: "r-1"}

    async def upserted() -> Any:
        told = await org.ask("upsert_records", object="Opportunity", key_field=key, records=[row])
        return told["results"][0]["created"]

    assert [await upserted(), await upserted()] == [True, False]


async def test_many_records_are_read_by_their_ids(org: Org) -> None:
    """In the order of the ids, and null where there is none."""
    lead = await org.lead(City="Oslo")

    told = await org.ask(
        "get_records", object="Lead", ids=["00Q000000000000AAA", lead], fields=["Id", "City"]
    )

    assert [one and one["City"] for one in told["records"]] == [None, "Oslo"]


async def test_a_duplicate_is_made_only_when_it_is_wanted(org: Org) -> None:
    """A duplicate rule is a conflict, unless the call says otherwise."""
    rule = {"object": "Account", "fields": ["Name"]}
    await org.control("org", {"duplicate_rules": [rule]})
    await org.made("Account", Name="Twice")

    refused = await org.refused("create_record", object="Account", fields={"Name": "Twice"})
    made = await org.ask(
        "create_record", object="Account", fields={"Name": "Twice"}, allow_duplicates=True
    )

    assert (refused.error_class, refused.code, made["success"]) == (
        "conflict",
        "DUPLICATES_DETECTED",
        True,
    )


# -- bulk


async def load(org: Org, rows: list[dict[str, Any]], **more: Any) -> str:
    """A job that is done, of *rows*."""
    more = {"object": "Lead", "operation": "insert", **more}
    job = str((await org.ask("create_ingest_job", **more))["id"])
    await org.ask("upload_rows", id=job, rows=rows)
    await org.ask("close_ingest_job", id=job)
    return job


async def test_many_rows_are_written(org: Org) -> None:
    """Made, uploaded, closed: what came of the rows is told row by row."""
    rows = [
        {"LastName": 'Lee, "Ann"', "Company": "A\nB", "NumberOfEmployees": 5},
        {"LastName": "Ærø ☃", "Company": "C", "City": "Oslo"},
        {"LastName": "Nobody"},
    ]

    job = await load(org, rows)

    told = await org.ask("ingest_job", id=job)
    written = (await org.ask("written_rows", id=job))["rows"]
    failed = (await org.ask("failed_rows", id=job))["rows"]
    assert (told["state"], told["processed"], told["failed"]) == ("JobComplete", 3, 1)
    assert [one["Company"] for one in written] == ["A\nB", "C"]
    assert [failed[0]["error"][name] for name in ("class", "code", "field")] == [
        "invalid",
        "REQUIRED_FIELD_MISSING",
        "Company",
    ]


async def test_null_empties_a_field_and_silence_leaves_it(org: Org) -> None:
    """In a table both would be empty cells; null is spelt #N/A."""
    kept, emptied = await org.lead(City="Oslo"), await org.lead(City="Oslo")

    await org.ask(
        "ingest_job",
        id=await load(
            org,
            [{"Id": kept, "State": "x"}, {"Id": emptied, "City": None}],
            operation="update",
        ),
    )

    assert [(await org.read("Lead", one))["City"] for one in (kept, emptied)] == ["Oslo", None]


async def test_a_job_that_went_well_has_no_failed_rows(org: Org) -> None:
    """A table of nothing but names is an empty list."""
    job = await load(org, [{"LastName": "Lee", "Company": "A"}])
    await org.ask("ingest_job", id=job)

    assert (await org.ask("failed_rows", id=job))["rows"] == []


async def test_a_job_takes_one_upload(org: Org) -> None:
    """The second is refused, in the words of Salesforce."""
    job = (await org.ask("create_ingest_job", object="Lead", operation="insert"))["id"]
    await org.ask("upload_rows", id=job, rows=[{"LastName": "Lee"}])

    error = await org.refused("upload_rows", id=job, rows=[{"LastName": "Lee"}])

    assert (error.error_class, error.code, error.record) == ("invalid", "INVALIDJOBSTATE", job)


async def test_an_aborted_job_writes_nothing(org: Org) -> None:
    """Its rows are told as not processed."""
    job = (await org.ask("create_ingest_job", object="Lead", operation="insert"))["id"]
    await org.ask("upload_rows", id=job, rows=[{"LastName": "Lee", "Company": "Unwanted"}])

    told = await org.ask("abort_ingest_job", id=job)

    left = (await org.ask("unprocessed_rows", id=job))["rows"]
    found = await org.ask("query", q="SELECT Id FROM Lead WHERE Company = 'Unwanted'")
    assert (told["state"], len(left), found["total_size"]) == ("Aborted", 1, 0)


async def test_a_job_is_deleted_once(org: Org) -> None:
    """The second time there is nothing to delete."""
    job = await load(org, [{"LastName": "Lee", "Company": "A"}])
    await org.ask("ingest_job", id=job)
    await org.ask("delete_ingest_job", id=job)

    assert (await org.refused("delete_ingest_job", id=job)).error_class == "not_found"


@pytest.mark.parametrize("rows", [[], [{}], ["Lee"], [{"LastName": ["a", "b"]}]])
async def test_what_is_no_table_is_not_sent(org: Org, rows: Any) -> None:
    """Said before the call, with the argument's name."""
    with pytest.raises(BadArguments, match="'rows' does not fit"):
        await org.ask("upload_rows", id="750000000000001AAA", rows=rows)


async def test_many_records_are_read_page_by_page(org: Org) -> None:
    """The mark of the next page stands in a header; the last says null."""
    job = (await org.ask("create_query_job", query="SELECT Id, Name, Fax FROM Account"))["id"]
    told = await org.ask("query_job", id=job)

    found = (await org.ask("query_results", id=job, max_records=7))["rows"]

    asked = [
        one for one in (await org.control("requests"))["requests"] if "/results" in one["path"]
    ]
    assert (told["state"], len(found)) == ("JobComplete", told["processed"])
    assert (len(asked), found[0]["Fax"]) == (-(-len(found) // 7), None)


async def test_a_web_page_is_no_table(org: Org) -> None:
    """A gateway's page in the place of rows is no row."""
    page = {"status": 200, "headers": {"Content-Type": "text/html"}, "body": "<html>Sign in</html>"}
    await org.control(
        "faults", {"match": {"method": "GET", "path": "/failedResults"}, "then": page}
    )

    error = await org.refused("failed_rows", id="750000000000001AAA")

    assert (error.error_class, error.message) == (
        "unavailable",
        "the answer is not CSV but text/html",
    )


# -- list views and setup


async def test_a_list_view_is_read(org: Org) -> None:
    """Found by its name, its rows as its page shows them."""
    views = (await org.ask("list_views", object="Lead"))["views"]
    mine = next(one for one in views if one["developerName"] == "MyLeads")
    await org.lead(LastName="Zzz")

    told = await org.ask("describe_list_view", object="Lead", id=mine["id"])
    shown = await org.ask("list_view_results", object="Lead", id=mine["id"])

    names = [one["fieldNameOrPath"] for one in shown["columns"]]
    assert (told["sobjectType"], names[0]) == ("Lead", "Name")
    assert "Zzz" in [one["columns"][0]["value"] for one in shown["records"]]


async def test_a_list_view_there_is_not_is_not_found(org: Org) -> None:
    """The class says so, and the record which."""
    error = await org.refused("list_view_results", object="Lead", id="00B000000000000AAA")

    assert (error.error_class, error.record) == ("not_found", "Lead 00B000000000000AAA")


async def test_setup_is_read(org: Org) -> None:
    """By the names of the Metadata API; null where there is none."""
    found = (await org.ask("list_metadata", type="CustomField"))["found"]
    name = found[0]["fullName"]

    read = (await org.ask("read_metadata", type="CustomField", names=[name, "Lead.No__c"]))[
        "records"
    ]

    assert (read[0]["fullName"], read[1]) == (name, None)


async def test_setup_of_an_unknown_kind_is_invalid(org: Org) -> None:
    """A fault of the other API is a class, too."""
    error = await org.refused("list_metadata", type="Nonsense")

    assert (error.error_class, error.happened) == ("invalid", "no")


async def test_records_are_found_by_a_key(org: Org) -> None:
    """And counted."""
    key = "Referral_Identifier__c"
    deal = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31", key: "r-2"}
    made = await org.made("Opportunity", **deal)

    row = await org.ask(
        "get_record_by_key", object="Opportunity", key_field=key, key="r-2", fields=["Id"]
    )

    counts = (await org.ask("count_records", objects=["Opportunity"]))["counts"]
    assert (row["Id"], counts[0]["name"]) == (made, "Opportunity")


# -- setup that is written piece by piece


def roles(*names: str) -> list[dict[str, Any]]:
    """The list of roles in teams, as `update_metadata` takes it."""
    values = [{"fullName": name, "default": False, "label": name} for name in names]
    return [{"fullName": "SalesTeamRole", "sorted": False, "standardValue": values}]


async def test_the_roles_of_a_team_are_written(org: Org) -> None:
    """A piece of setup says of what kind it is, and is read again as it was written."""
    await org.ask("update_metadata", type="StandardValueSet", pieces=roles("Seller", "R&D <lab>"))

    told = await org.ask("read_metadata", type="StandardValueSet", names=["SalesTeamRole"])

    values = told["records"][0]["standardValue"]
    assert [one["fullName"] for one in values] == ["Seller", "R&D <lab>"]


async def test_a_piece_of_setup_that_is_refused_is_named(org: Org) -> None:
    """One piece is written, the other has an error that says which it is."""
    pieces = [*roles("Seller"), {"fullName": "Colours", "standardValue": []}]

    told = await org.ask("update_metadata", type="StandardValueSet", pieces=pieces)

    error = told["results"][1]["error"]
    assert [one["success"] for one in told["results"]] == [True, False]
    assert (error["class"], error["record"]) == ("invalid", "Colours")


async def test_the_kind_of_a_piece_cannot_break_out_of_its_place(org: Org) -> None:
    """A kind that is no name is refused before anything is sent."""
    with pytest.raises(BadArguments):
        await org.ask("update_metadata", type='X" onload="', pieces=roles("Seller"))


async def test_rules_of_sharing_are_listed_for_review(org: Org) -> None:
    """Which rules there are and whom they share with: what must be looked at before partners come."""
    rule = {
        "fullName": "Deals",
        "accessLevel": "Read",
        "label": "Deals",
        "sharedFrom": {"allInternalUsers": ""},
        "sharedTo": {"roleAndSubordinates": "VP_Sales"},
    }
    piece = {"fullName": "Opportunity", "sharingOwnerRules": [rule]}
    await org.ask("update_metadata", type="SharingRules", pieces=[piece])

    listed = await org.ask("list_metadata", type="SharingOwnerRule")
    read = await org.ask("read_metadata", type="SharingRules", names=["Opportunity"])

    found = read["records"][0]["sharingOwnerRules"]
    assert [one["fullName"] for one in listed["found"]] == ["Opportunity.Deals"]
    assert found["sharedTo"] == {"roleAndSubordinates": "VP_Sales"}


async def test_a_new_record_is_made_with_mails(org: Org) -> None:
    """The schema's nil Id of a record that is not there yet is taken."""
    told = await org.ask(
        "create_records_with_mail", object="Lead", records=[{"LastName": "Kim", "Company": "K"}]
    )

    assert told["results"][0]["success"] is True
