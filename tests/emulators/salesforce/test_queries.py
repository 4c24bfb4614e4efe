"""SOQL."""

from datetime import date, timedelta

import pytest


@pytest.fixture
def deals(org):
    """Give five opportunities of two accounts."""
    acme = org.create("Account", Name="Acme", BillingCountry="DK")
    beta = org.create("Account", Name="beta")
    org.deal(Name="One", Amount=100, AccountId=acme, CloseDate="2026-01-10")
    org.deal(Name="two", Amount=200, AccountId=acme, StageName="Qualification")
    org.deal(Name="Three", Amount=300, AccountId=beta, CurrencyIsoCode="DKK")
    org.deal(Name="Four %", StageName="Closed Won", Sync_with_Partner_Center__c=True)
    org.deal(Name="Fi've", Amount=500, Referral_Identifier__c="r-5")
    return org


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'ONE'", ["One"]),
        ("Name != 'one'", ["two", "Three", "Four %", "Fi've"]),
        ("Name = 'Fi\\'ve'", ["Fi've"]),
        ("Name LIKE 't%'", ["two", "Three"]),
        ("Name LIKE '_n_'", ["One"]),
        ("Name LIKE '%\\%'", ["Four %"]),
        ("Amount > 100 AND Amount <= 300", ["two", "Three"]),
        ("Amount = null", ["Four %"]),
        ("Amount != null AND Amount < 200", ["One"]),
        ("Amount < 200", ["One"]),
        ("Amount IN (100, 500)", ["One", "Fi've"]),
        ("StageName NOT IN ('Prospecting', 'Qualification')", ["Four %"]),
        ("IsWon = TRUE", ["Four %"]),
        ("NOT IsClosed = false", ["Four %"]),
        ("(Name = 'One' OR Name = 'two') AND Amount > 150", ["two"]),
        ("NOT (Name = 'One' OR Amount > 150)", ["Four %"]),
        ("Account.Name = 'acme'", ["One", "two"]),
        ("Account.Owner.Username LIKE 'integration%' AND Account.Name = 'beta'", ["Three"]),
        ("Account.BillingCountry = null", ["Three", "Four %", "Fi've"]),
        ("Referral_Identifier__c = 'R-5'", ["Fi've"]),
        ("CloseDate = 2026-01-10", ["One"]),
        ("CloseDate < 2026-06-01", ["One"]),
        ("CreatedDate = TODAY AND Name = 'One'", ["One"]),
        ("CreatedDate > TOMORROW", []),
        ("LastModifiedDate >= 2020-01-01T00:00:00Z AND Name = 'One'", ["One"]),
        ("LastModifiedDate >= 2020-01-01T01:00:00.000+01:00 AND Name = 'One'", ["One"]),
        ("SystemModstamp < 2020-01-01T00:00:00+0000", []),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'acme')", ["One", "two"]),
        ("AccountId != null AND AccountId NOT IN (SELECT Id FROM Account WHERE Name = 'acme')",
         ["Three"]),
    ],
)  # fmt: skip
def test_where_finds_the_rows_that_fit(deals, where, names):
    """Text compares without regard to case; empty is different from every value."""
    found = deals.names(f"SELECT Name FROM Opportunity WHERE {where}")

    assert sorted(found) == sorted(names)


@pytest.mark.parametrize(
    ("tail", "names"),
    [
        ("ORDER BY Name", ["Fi've", "Four %", "One", "Three", "two"]),
        ("ORDER BY Name DESC LIMIT 2", ["two", "Three"]),
        ("ORDER BY Name LIMIT 2 OFFSET 1", ["Four %", "One"]),
        ("ORDER BY Amount", ["Four %", "One", "two", "Three", "Fi've"]),
        ("ORDER BY Amount NULLS LAST", ["One", "two", "Three", "Fi've", "Four %"]),
        ("ORDER BY Amount DESC NULLS LAST", ["Fi've", "Three", "two", "One", "Four %"]),
        ("ORDER BY StageName, Name DESC", ["Three", "One", "Fi've", "two", "Four %"]),
        ("ORDER BY Account.Name NULLS LAST, Name", ["One", "two", "Three", "Fi've", "Four %"]),
    ],
)
def test_order_and_cut(deals, tail, names):
    """Rows come in the order asked for; empty values first, picklists as they are listed."""
    assert deals.names(f"SELECT Name FROM Opportunity {tail}") == names


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SELECT Foo FROM Account", "INVALID_FIELD"),
        ("SELECT Foo.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Owner.Company FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT (SELECT Id FROM Things) FROM Account", "INVALID_TYPE"),
        ("SELECT FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = x", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate = SOMEDAY", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Id != null OR Name = 'b'", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account; DROP", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE IsPartner = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity ORDER BY Audit__c", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ],
)
def test_wrong_queries_are_refused(org, text, answer):
    """Every mistake in a query has its code."""
    assert org.refused(text) == (400, answer)


def test_a_refusal_points_to_the_place(org):
    """The message shows where in the query the mistake is."""
    reply = org.call("GET", "/query", params={"q": "SELECT Id, Foo FROM Account"})

    assert "ERROR at Row:1:Column:12\nNo such column 'Foo'" in reply.json()[0]["message"]


def test_a_record_has_what_was_selected_in_that_order(deals):
    """Records carry their attributes, then the selected fields in canonical case."""
    [found] = deals.query("SELECT name, iD FROM opportunity WHERE Name = 'One'")

    assert list(found) == ["attributes", "Name", "Id"]


def test_a_parent_is_nested(deals):
    """Fields of a parent come in an object of their own."""
    [found] = deals.query("SELECT Account.Name, Account.Id FROM Opportunity WHERE Name = 'One'")

    assert (found["Account"]["attributes"]["type"], found["Account"]["Name"]) == ("Account", "Acme")


def test_a_missing_parent_is_null(deals):
    """Without a parent there is no object."""
    [found] = deals.query("SELECT Account.Name FROM Opportunity WHERE Name = 'Fi\\'ve'")

    assert found["Account"] is None


def test_children_come_as_an_answer_within(deals):
    """A query over children answers like a query."""
    text = "SELECT (SELECT Name FROM Opportunities ORDER BY Name DESC) FROM Account"
    [found] = deals.query(f"{text} WHERE Name = 'Acme'")

    assert [child["Name"] for child in found["Opportunities"]["records"]] == ["two", "One"]


def test_no_children_are_null(org):
    """A row without children has null where they would be."""
    org.create("Account", Name="Acme")
    [found] = org.query("SELECT (SELECT Id FROM Contacts) FROM Account")

    assert found["Contacts"] is None


def test_solutions_are_found_below_their_opportunity(org):
    """The custom object's children go by its relationship's name."""
    deal = org.deal()
    org.create("Microsoft_Solution__c", Opportunity__c=deal, Solution_Name__c="Mesh")
    [found] = org.query(
        "SELECT (SELECT Solution_Name__c, Opportunity__r.Name FROM Microsoft_Solutions__r) "
        "FROM Opportunity"
    )

    assert found["Microsoft_Solutions__r"]["records"][0]["Opportunity__r"]["Name"] == "Deal"


def test_an_owner_of_any_kind_has_a_type(demo):
    """A lead's owner may be a queue or a user, and says which."""
    found = demo.query("SELECT Owner.Type, Owner.Name FROM Lead")

    assert {lead["Owner"]["Type"] for lead in found} == {"Queue", "User"}


def test_typeof_shows_what_fits_the_kind(demo):
    """TYPEOF selects fields by the parent's kind."""
    text = "TYPEOF Owner WHEN User THEN Username WHEN Group THEN DeveloperName END"
    found = demo.query(f"SELECT {text} FROM Lead")

    assert {len(lead["Owner"]) for lead in found} == {2}


def test_count_answers_only_a_number(deals):
    """COUNT() answers a size and no records."""
    body = deals.call("GET", "/query?q=SELECT+COUNT()+FROM+Opportunity").json()

    assert body == {"totalSize": 5, "done": True, "records": []}


def test_groups_are_added_up(deals):
    """Columns without a name are numbered."""
    found = deals.query(
        "SELECT StageName, COUNT(Id) n, SUM(Amount), MAX(Name) FROM Opportunity "
        "GROUP BY StageName HAVING COUNT(Id) > 1"
    )

    assert found == [
        {
            "attributes": {"type": "AggregateResult"},
            "StageName": "Prospecting",
            "n": 3,
            "expr0": 900.0,
            "expr1": "Three",
        }
    ]


def test_dates_can_be_grouped_by_their_parts(deals):
    """Functions of dates group."""
    found = deals.query(
        "SELECT CALENDAR_MONTH(CloseDate) m, COUNT(Id) n FROM Opportunity "
        "GROUP BY CALENDAR_MONTH(CloseDate) ORDER BY COUNT(Id)"
    )

    assert [(group["m"], group["n"]) for group in found] == [(1, 1), (12, 4)]


def test_amounts_can_be_converted(deals):
    """convertCurrency gives the reader's currency."""
    [found] = deals.query("SELECT convertCurrency(Amount) FROM Opportunity WHERE Name = 'Three'")

    assert found["Amount"] == 43.73


def test_fields_stand_for_many(deals):
    """FIELDS(CUSTOM) selects the fields administrators made."""
    [found] = deals.query("SELECT FIELDS(CUSTOM) FROM Opportunity LIMIT 1")

    assert all(name.endswith("__c") for name in found if name != "attributes")


def test_deleted_rows_are_found_only_when_asked_for(deals):
    """queryAll answers the recycle bin too."""
    key = deals.query("SELECT Id FROM Opportunity WHERE Name = 'One'")[0]["Id"]
    deals.call("DELETE", f"/sobjects/Opportunity/{key}")
    reply = deals.call(
        "GET", "/queryAll", params={"q": "SELECT IsDeleted FROM Opportunity WHERE Name = 'One'"}
    )

    assert reply.json()["records"][0]["IsDeleted"] is True


def test_pages_follow_each_other(org):
    """A long answer comes in pages whose addresses are relative."""
    for start in range(0, 450, 150):
        rows = [{"attributes": {"type": "Account"}, "Name": str(start + n)} for n in range(150)]
        org.call("POST", "/composite/sobjects", {"records": rows})
    size = {"Sforce-Query-Options": "batchSize=200"}
    page = org.call("GET", "/query/?q=SELECT+Name+FROM+Account", headers=size).json()
    sizes = [len(page["records"])]
    while not page["done"]:
        page = org.http.get(page["nextRecordsUrl"]).json()
        sizes.append(len(page["records"]))

    assert (page["totalSize"], sizes) == (450, [200, 200, 50])


def test_unknown_cursor_is_refused(org):
    """A cursor that was never opened is none."""
    assert org.code(org.call("GET", "/query/01gKx0000000009-200")) == (400, "INVALID_QUERY_LOCATOR")


def test_columns_are_described_for_the_command_line(deals):
    """The second call of the sf command asks what the columns are."""
    text = "SELECT Id, Account.Name, (SELECT Id FROM Notes) FROM Opportunity"
    body = deals.call("GET", "/query", params={"q": text, "columns": "true"}).json()

    assert [column["columnName"] for column in body["columnMetadata"]] == ["Id", "Account", "Notes"]


@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ("TODAY", "2026-11-24", "2026-11-24"),
        ("YESTERDAY", "2026-11-23", "2026-11-23"),
        ("THIS_WEEK", "2026-11-22", "2026-11-28"),
        ("LAST_MONTH", "2026-10-01", "2026-10-31"),
        ("THIS_QUARTER", "2026-10-01", "2026-12-31"),
        ("NEXT_YEAR", "2027-01-01", "2027-12-31"),
        ("LAST_N_DAYS:3", "2026-11-21", "2026-11-24"),
        ("NEXT_N_DAYS:3", "2026-11-25", "2026-11-27"),
        ("LAST_N_MONTHS:2", "2026-09-01", "2026-10-31"),
        ("N_DAYS_AGO:3", "2026-11-21", "2026-11-21"),
        ("LAST_90_DAYS", "2026-08-26", "2026-11-24"),
    ],
)
def test_relative_dates(org, literal, first, last):
    """A relative date is a stretch of days around the org's own today."""
    org.control("clock", now="2026-11-24T12:00:00Z")
    org.log_in("integration@cosell.example.com")
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    inside = {begin.isoformat(), end.isoformat()}
    outside = {(begin - timedelta(days=1)).isoformat(), (end + timedelta(days=1)).isoformat()}
    for day in inside | outside:
        org.deal(Name=day, CloseDate=day)

    assert set(org.names(f"SELECT Name FROM Opportunity WHERE CloseDate = {literal}")) == inside
