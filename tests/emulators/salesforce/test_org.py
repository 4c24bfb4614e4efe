"""What the org tells of itself, and what its seeds hold."""

import time

import pytest

from cosell_emulators.salesforce.identifiers import long_id
from cosell_emulators.salesforce.writing import Doing


def field(org, kind, name):
    fields = org.call("GET", f"/sobjects/{kind}/describe").json()["fields"]
    return next(found for found in fields if found["name"] == name)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001D000000JliST", "001D000000JliSTIAZ"),
        ("0015500001QdRaY", "0015500001QdRaYAAV"),
        ("701E0000000JuFH", "701E0000000JuFHIA0"),
    ],
)
def test_ids_have_the_checksum_of_real_ones(short, long):
    """Ids seen in a real org come out with their real last characters."""
    assert long_id(short) == long


def test_describe_tells_what_clients_read(org):
    """A field's description has the keys clients depend on."""
    found = field(org, "Opportunity", "Referral_Identifier__c")
    names = ("type", "length", "byteLength", "nillable", "externalId", "idLookup", "unique")

    assert [found[name] for name in names] == ["string", 100, 300, True, True, True, True]


def test_describe_lists_active_currencies(org):
    """The currencies to choose from are those the org uses."""
    values = field(org, "Opportunity", "CurrencyIsoCode")["picklistValues"]

    shown = {value["value"] for value in values}
    promised = {"USD", "EUR", "GBP", "DKK", "NOK", "BRL", "JPY", "KWD"}

    assert (promised - shown, "SEK" in shown) == (set(), False)


def test_describe_lists_children(org):
    """An opportunity knows its solutions by their relationship."""
    children = org.call("GET", "/sobjects/Opportunity/describe").json()["childRelationships"]

    assert "Microsoft_Solutions__r" in {child["relationshipName"] for child in children}


def test_describe_is_not_sent_again(org):
    """A description that did not change answers 304."""
    seen = org.call("GET", "/sobjects/Account/describe").headers["Last-Modified"]
    reply = org.call("GET", "/sobjects/Account/describe", headers={"If-Modified-Since": seen})

    assert reply.status_code == 304


def test_every_described_field_can_be_selected(demo):
    """Description and query agree on every object."""
    names = [kind["name"] for kind in demo.call("GET", "/sobjects").json()["sobjects"]]
    # The fields of fields are asked for object by object.
    wheres = {
        "FieldDefinition": " WHERE EntityDefinitionId = 'Account'",
        "ContentDocumentLink": " WHERE LinkedEntityId = '001000000000000AAA'",
    }
    refused = [
        name
        for name in names
        if demo.call(
            "GET",
            "/query",
            params={"q": f"SELECT FIELDS(ALL) FROM {name}{wheres.get(name, '')} LIMIT 200"},
        ).status_code
        != 200
    ]

    assert refused == []


def test_the_demo_is_as_large_as_promised(demo):
    """Accounts, opportunities, leads, queues, users and partner users are there."""
    counts = {
        name: len(demo.query(f"SELECT Id FROM {text}"))
        for name, text in {
            "accounts": "Account",
            "deals": "Opportunity",
            "leads": "Lead",
            "queues": "Group WHERE Type = 'Queue'",
            "users": "User",
            "partners": "User WHERE UserType = 'PowerPartner' AND Contact.Account.IsPartner = true",
        }.items()
    }

    assert counts == {
        "accounts": 22,
        "deals": 50,
        "leads": 10,
        "queues": 3,
        "users": 6,
        "partners": 2,
    }


def test_every_demo_account_has_a_contact_and_a_country(demo):
    """Nothing in the demo would keep a deal from being shared."""
    poor = demo.names(
        "SELECT Name FROM Account WHERE BillingCountry = null "
        "OR Id NOT IN (SELECT AccountId FROM Contact)"
    )

    assert poor == []


def test_every_demo_deal_has_a_primary_contact(demo):
    """Every deal has somebody to talk to."""
    text = "SELECT Id FROM Opportunity WHERE Id NOT IN (SELECT OpportunityId FROM "

    assert demo.query(f"{text}OpportunityContactRole WHERE IsPrimary = true)") == []


def test_the_integration_user_owns_no_deal(demo):
    """Sellers are not the user who calls."""
    text = "SELECT Id FROM Opportunity WHERE Owner.Username = '{}'"

    assert demo.query(text.format(demo.emulator.username)) == []


def test_a_reset_gives_the_same_ids(demo):
    """A seed is the same every time."""
    before = demo.query("SELECT Id, Name FROM Opportunity ORDER BY Id")
    demo.control("reset", seed="demo")

    assert demo.query("SELECT Id, Name FROM Opportunity ORDER BY Id") == before


def test_an_empty_org_keeps_its_people(org):
    """The empty seed has users, queues, profiles, stages and currencies."""
    kept = ("User", "Group", "Profile", "OpportunityStage", "CurrencyType")

    assert all(org.query(f"SELECT Id FROM {name}") for name in kept)


def test_changes_are_told_by_their_minute(org):
    """What changed between two minutes is listed by id."""
    org.control("clock", now="2027-01-10T12:00:30Z")
    org.log_in("integration@cosell.example.com")
    key = org.create("Account", Name="A")
    org.control("clock", advance_s=120)
    span = {"start": "2027-01-10T12:00:00Z", "end": "2027-01-10T12:05:00+00:00"}
    body = org.call("GET", "/sobjects/Account/updated/", params=span).json()

    assert body == {"ids": [key], "latestDateCovered": "2027-01-10T12:02:00.000+0000"}


def test_deletions_are_told(org):
    """What was deleted is listed with its moment."""
    key = org.create("Account", Name="A")
    org.control("clock", now="2027-01-10T12:00:30Z")
    org.log_in("integration@cosell.example.com")
    org.call("DELETE", f"/sobjects/Account/{key}")
    span = {"start": "2027-01-10T12:00:00Z", "end": "2027-01-10T12:05:00Z"}
    body = org.call("GET", "/sobjects/Account/deleted/", params=span).json()

    assert body["deletedRecords"] == [{"id": key, "deletedDate": "2027-01-10T12:00:30.000+0000"}]


def test_changes_are_told_for_thirty_days(org):
    """Nothing older is told."""
    span = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    reply = org.call("GET", "/sobjects/Account/updated", params=span)

    assert org.code(reply) == (400, "INVALID_REPLICATION_DATE")


def test_a_change_remembers_the_client(org):
    """The name a client calls itself is kept with what it changed."""
    named = {"Sforce-Call-Options": "client=cosell; defaultNamespace=x"}
    org.call("POST", "/sobjects/Account", {"Name": "A"}, headers=named)
    [change] = org.http.get("/__sandbox__/changes").json()["changes"]

    assert (change["client"], change["operation"], change["fields"]) == (
        "cosell",
        "create",
        ["Name"],
    )


def test_rows_are_counted(org):
    """Counts come by object."""
    org.create("Account", Name="A")
    body = org.call("GET", "/limits/recordCount?sObjects=Account").json()

    assert body == {"sObjects": [{"count": 1, "name": "Account"}]}


def test_a_list_view_shows_columns(demo):
    """The rows of a list view are columns of text."""
    views = demo.call("GET", "/sobjects/Lead/listviews").json()["listviews"]
    body = demo.http.get(views[0]["resultsUrl"], params={"limit": 3}).json()

    assert (body["size"], body["records"][0]["columns"][0]["fieldNameOrPath"]) == (3, "Name")


def duplicates(org):
    rule = {"object": "Account", "fields": ["Name"]}
    org.control("org", duplicate_rules=[rule])
    org.create("Account", Name="Acme")


def test_a_double_is_refused(org):
    """A duplicate rule names the rows it found."""
    duplicates(org)
    [error] = org.call("POST", "/sobjects/Account", {"Name": "ACME"}).json()

    assert (error["errorCode"], error["duplicateResut"]["matchResults"][0]["size"]) == (
        "DUPLICATES_DETECTED",
        1,
    )


def test_a_double_is_saved_when_told_to(org):
    """The header lets a double through."""
    duplicates(org)
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}

    assert org.call("POST", "/sobjects/Account", {"Name": "A"}, headers=allow).status_code == 201


def test_unknown_switches_are_refused(org):
    """A test that misspells a switch hears of it."""
    assert "error" in org.control("org", nonsense=True)


def test_ten_thousand_rows_are_no_burden(org):
    """A row is found by its key among ten thousand in a moment."""
    writer, kind = org.emulator.org.writer, org.emulator.org.store.schema["Opportunity"]
    caller = org.emulator.org.user(org.emulator.username)
    doing = Doing(user_id=caller.id, now=org.emulator.clock.now())
    for number in range(10_000):
        body = {"Name": str(number), "StageName": "Prospecting", "CloseDate": "2026-12-31"}
        writer.create(kind, {**body, "Referral_Identifier__c": f"r-{number}"}, doing)
    begin = time.perf_counter()
    org.query("SELECT Id FROM Opportunity WHERE Referral_Identifier__c = 'r-9999'")

    assert time.perf_counter() - begin < 0.5
