"""simple-salesforce, the most used client of Python, works with the emulator as with an org."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("salesforce-clients"), pytest.mark.long]


@pytest.fixture
def client(python_clients: Path) -> Any:
    """Give the library."""
    return pytest.importorskip("simple_salesforce")


@pytest.fixture
def session(python_clients: Path, org: Any) -> Any:
    """Give a session of requests that calls the emulator wherever the library means to call."""
    import requests
    from requests.adapters import HTTPAdapter

    class Down(HTTPAdapter):
        """Sends what goes to https to the emulator's plain socket."""

        def send(self, request: Any, **more: Any) -> Any:
            parts = urlsplit(request.url)
            here = urlsplit(org.url)
            request.url = urlunsplit((here.scheme, here.netloc, parts.path, parts.query, ""))
            return super().send(request, **more)

    session = requests.Session()
    session.mount("https://", Down())
    return session


@pytest.fixture
def sf(client: Any, session: Any, org: Any) -> Any:
    """Give the library, logged in by token."""
    return client.Salesforce(
        session_id=org.token(),
        instance_url="https://org.my.salesforce.com",
        version="68.0",
        session=session,
    )


def test_client_credentials(client, session, org):
    """The library signs an app in by itself."""
    sf = client.Salesforce(
        consumer_key=org.ready["client_id"],
        consumer_secret=org.ready["client_secret"],
        domain="org.my",
        session=session,
    )

    assert sf.query("SELECT Id FROM User")["totalSize"] == 6
    assert sf.sf_version == "59.0"


def test_a_wrong_secret(client, session, org):
    """A secret that is wrong is told as such."""
    with pytest.raises(client.SalesforceAuthenticationFailed) as refused:
        client.Salesforce(
            consumer_key=org.ready["client_id"],
            consumer_secret="wrong",
            domain="org.my",
            session=session,
        )

    assert "invalid_client" in str(refused.value)


def test_a_signed_assertion(client, session, org):
    """A JSON web token gets in, though the library writes its expiry as text."""
    sf = client.Salesforce(
        username=org.ready["username"],
        consumer_key=org.ready["client_id"],
        privatekey_file=org.ready["jwt_key_file"],
        session=session,
    )

    assert sf.query("SELECT Id FROM User")["totalSize"] == 6


def test_an_unknown_user_is_not_let_in(client, session, org):
    """A token for somebody there is not is refused in the words the library looks for."""
    with pytest.raises(client.SalesforceAuthenticationFailed) as refused:
        client.Salesforce(
            username="nobody@example.com",
            consumer_key=org.ready["client_id"],
            privatekey_file=org.ready["jwt_key_file"],
            session=session,
        )

    assert "user hasn't approved this consumer" in str(refused.value)


def test_an_ended_session(client, session, sf, org):
    """A session that ended is told as expired."""
    org.control("org", end_sessions=True)

    with pytest.raises(client.SalesforceExpiredSession) as ended:
        sf.query("SELECT Id FROM User")

    assert ended.value.status == 401
    assert ended.value.content[0]["errorCode"] == "INVALID_SESSION_ID"


def test_a_session_ends_by_itself(client, sf, org):
    """After two hours without a call a session is over; a call within them keeps it."""
    org.control("clock", advance_s=7000)
    alive = sf.query("SELECT Id FROM User")["totalSize"]
    org.control("clock", advance_s=7300)

    with pytest.raises(client.SalesforceExpiredSession):
        sf.query("SELECT Id FROM User")
    assert alive == 6


def test_a_row_through_its_life(client, sf):
    """create, get, update, upsert and delete answer what the library expects."""
    made = sf.Account.create({"Name": "Æblegården", "AnnualRevenue": "1000000"})
    read = sf.Account.get(made["id"])
    status = sf.Account.update(made["id"], {"Phone": "1"})
    gone = sf.Account.delete(made["id"])

    assert (made["success"], made["errors"]) == (True, [])
    assert (read["Name"], read["AnnualRevenue"]) == ("Æblegården", 1_000_000.0)
    assert (status, gone) == (204, 204)
    with pytest.raises(client.SalesforceResourceNotFound) as missing:
        sf.Account.get(made["id"])
    assert missing.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_upserts(client, sf):
    """An upsert answers 201 for new and 200 for changed."""
    key = "Referral_Identifier__c/up-one"
    deal = {"Name": "U", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    statuses = [sf.Opportunity.upsert(key, deal), sf.Opportunity.upsert(key, {"Name": "V"})]
    read = sf.Opportunity.get_by_custom_id("Referral_Identifier__c", "up-one")

    assert (statuses, read["Name"]) == ([201, 200], "V")


def test_several_rows_for_a_key(client, sf):
    """A key that fits two rows is told with both addresses."""
    for name in ("A", "B"):
        sf.Contact.create({"LastName": name, "Email": "same@x.example"})

    with pytest.raises(client.SalesforceMoreThanOneRecord) as several:
        sf.Contact.get_by_custom_id("Email", "same@x.example")

    assert several.value.status == 300
    assert len(several.value.content) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"LastName": "x", "Email": "no mail"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG"),
        ({"FirstName": "x"}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "x", "AccountId": "nope"}, "MALFORMED_ID"),
        ({"LastName": "x", "OwnerId": "005000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"LastName": "x", "Birthdate": "31.12.1999"}, "JSON_PARSER_ERROR"),
    ],
)
def test_rows_that_are_refused(client, sf, body, code):
    """Refusals are the library's malformed requests, with the platform's code."""
    with pytest.raises(client.SalesforceMalformedRequest) as refused:
        sf.Contact.create(body)

    assert (refused.value.status, refused.value.content[0]["errorCode"]) == (400, code)


def test_conditional_updates(client, sf, org):
    """A change that comes after another, and says so, is refused with 412."""
    made = sf.Opportunity.create(
        {"Name": "C", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    )
    seen = sf.Opportunity.get(made["id"])["LastModifiedDate"]
    moment = datetime.strptime(seen, "%Y-%m-%dT%H:%M:%S.%f%z")
    header = {"If-Unmodified-Since": f"{moment:%a, %d %b %Y %H:%M:%S} GMT"}
    first = sf.Opportunity.update(made["id"], {"Name": "D"}, headers=header)
    org.control("clock", advance_s=5)
    sf.Opportunity.update(made["id"], {"Name": "E"})

    with pytest.raises(client.SalesforceGeneralError) as late:
        sf.Opportunity.update(made["id"], {"Name": "F"}, headers=header)

    assert (first, late.value.status) == (204, 412)


def test_pages(sf):
    """query_all and query_all_iter walk the pages."""
    rows = [{"LastName": f"Page {number}", "Company": "P"} for number in range(2050)]
    done = sf.bulk2.Lead.insert(records=rows)
    text = "SELECT Id FROM Lead WHERE Company = 'P'"
    first = sf.query(text)
    everything = sf.query_all(text)

    assert sum(one["numberRecordsProcessed"] for one in done) == 2050
    assert (len(first["records"]), first["done"], first["totalSize"]) == (2000, False, 2050)
    assert (len(everything["records"]), everything["done"]) == (2050, True)
    assert len({row["Id"] for row in sf.query_all_iter(text)}) == 2050


def test_bulk_reads_in_parts(sf):
    """A bulk query hands its rows out in parts, each with the locator of the next."""
    rows = [{"LastName": f"Part {number}", "Company": "Q"} for number in range(25)]
    sf.bulk2.Lead.insert(records=rows)
    parts = list(
        sf.bulk2.Lead.query("SELECT LastName FROM Lead WHERE Company = 'Q'", max_records=10)
    )

    assert [len(part.strip().splitlines()) - 1 for part in parts] == [10, 10, 5]


def test_bulk_failures(sf):
    """What a job refused comes back row by row."""
    done = sf.bulk2.Contact.insert(records=[{"LastName": "ok", "Email": ""}, {"Email": "bad"}])
    failed = sf.bulk2.Contact.get_failed_records(done[0]["job_id"])

    assert (done[0]["numberRecordsProcessed"], done[0]["numberRecordsFailed"]) == (2, 1)
    assert "REQUIRED_FIELD_MISSING" in failed


def test_describe_and_metadata(sf):
    """Descriptions and the basic data of an object are there."""
    described = sf.Opportunity.describe()
    basic = sf.Opportunity.metadata()
    listed = sf.describe()

    assert described["name"] == basic["objectDescribe"]["name"] == "Opportunity"
    assert "recentItems" in basic
    assert listed["encoding"] == "UTF-8"


def test_updated_and_deleted(sf, org):
    """Changes in a stretch of time are told with the moment they reach to."""
    made = sf.Account.create({"Name": "Fresh"})
    org.control("clock", advance_s=120)
    now = datetime.now(UTC)
    span = (now - timedelta(hours=1), now + timedelta(minutes=3))
    updated = sf.Account.updated(*span)
    deleted = sf.Account.deleted(*span)

    assert made["id"] in updated["ids"]
    assert updated["latestDateCovered"].endswith(".000+0000")
    assert deleted["deletedRecords"] == []
    assert "earliestDateAvailable" in deleted


def test_too_long_ago(client, sf):
    """Changes of more than thirty days ago cannot be asked for."""
    now = datetime.now(UTC)

    with pytest.raises(client.SalesforceMalformedRequest) as refused:
        sf.Account.updated(now - timedelta(days=31), now)

    assert refused.value.content[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_usage(sf):
    """The library reads how much of the day's calls is used."""
    sf.query("SELECT Id FROM User")
    before = sf.api_usage["api-usage"].used
    sf.query("SELECT Id FROM User")

    assert (sf.api_usage["api-usage"].used - before, sf.api_usage["api-usage"].total) == (
        1,
        100_000,
    )


def test_composite(sf):
    """restful() reaches what the library has no word for."""
    reply = sf.restful(
        "composite",
        method="POST",
        json={
            "compositeRequest": [
                {
                    "method": "POST",
                    "url": "/services/data/v68.0/sobjects/Account",
                    "referenceId": "made",
                    "body": {"Name": "By composite"},
                },
                {
                    "method": "GET",
                    "url": "/services/data/v68.0/sobjects/Account/@{made.id}?fields=Name",
                    "referenceId": "read",
                },
            ]
        },
    )

    assert [part["httpStatusCode"] for part in reply["compositeResponse"]] == [201, 200]
    assert reply["compositeResponse"][1]["body"]["Name"] == "By composite"


def test_limits_used_up(client, sf, org):
    """When the day's calls are used up, the next is refused with 403."""
    org.control("org", daily_calls=1, calls_today=1)

    with pytest.raises(client.SalesforceRefusedRequest) as refused:
        sf.query("SELECT Id FROM User")

    assert refused.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_passwords(sf, org):
    """An administrator sets a password, and has one reset by mail."""
    users = sf.query("SELECT Id FROM User WHERE Alias = 'slindh'")["records"]
    path = f"sobjects/User/{users[0]['Id']}/password"
    expired = sf.restful(path)
    sf.set_password(users[0]["Id"], "Wint3r-is-coming")
    reset = sf.restful(path, method="DELETE")
    mails = org.look("mails")

    assert expired == {"isExpired": False}
    assert set(reset) == {"NewPassword"}
    assert [(mail["kind"], mail["to"]) for mail in mails] == [
        ("reset", "sara.seller@cosell.example.com")
    ]


def test_many_clients_at_once(client, session, org):
    """A dozen threads write at once; every row is there once."""
    from concurrent.futures import ThreadPoolExecutor

    token = org.token()

    def write(number: int) -> bool:
        sf = client.Salesforce(
            session_id=token,
            instance_url="https://org.my.salesforce.com",
            version="68.0",
            session=session,
        )
        return bool(sf.Account.create({"Name": f"Together {number}"})["success"])

    with ThreadPoolExecutor(12) as pool:
        done = list(pool.map(write, range(120)))
    found = org.query("SELECT COUNT(Id) n FROM Account WHERE Name LIKE 'Together %'")

    assert (all(done), found[0]["n"]) == (True, 120)


def test_the_first_bulk_api(sf):
    """The library's older bulk calls, which send JSON, insert, change, delete and read."""
    rows = [{"LastName": f"Old {number}", "Company": "Old bulk"} for number in range(7)]
    done = sf.bulk.Lead.insert([*rows, {"Company": "nameless"}])
    keys = [row["id"] for row in done if row["success"]]
    changed = sf.bulk.Lead.update([{"Id": keys[0], "Company": "Old bulk 2"}])
    read = sf.bulk.Lead.query(
        "SELECT LastName, CreatedDate FROM Lead WHERE Company = 'Old bulk'", lazy_operation=False
    )
    gone = sf.bulk.Lead.delete([{"Id": key} for key in keys])

    assert (len(keys), done[-1]["errors"][0]["statusCode"]) == (7, "REQUIRED_FIELD_MISSING")
    assert changed[0]["created"] is False
    assert len(read) == 6
    assert isinstance(read[0]["CreatedDate"], int)
    assert all(row["success"] for row in gone)


def test_quick_search(sf):
    """The library's quick search finds rows of whatever object."""
    found = sf.quick_search("Wendy")["searchRecords"]
    nobody = sf.quick_search("Wend")["searchRecords"]

    assert {row["attributes"]["type"] for row in found} == {"Contact", "Opportunity"}
    assert nobody == []
