"""Fields that compute themselves: formulas, and totals of what lies below."""

import pytest

DEAL = "Opportunity.Net__c"


def profile_set(org):
    rows = org.query("SELECT Id FROM PermissionSet WHERE Profile.Name = 'System Administrator'")
    return rows[0]["Id"]


def define(org, full_name=DEAL, **said):
    """Make a field and let the administrator see it."""
    kind, _, name = full_name.partition(".")
    body = {"FullName": full_name, "Metadata": {"label": name, **said}}
    reply = org.call("POST", "/tooling/sobjects/CustomField", body)
    if reply.status_code == 201:
        org.create(
            "FieldPermissions",
            ParentId=profile_set(org),
            SobjectType=kind,
            Field=full_name,
            PermissionsRead=True,
            PermissionsEdit=False,
        )
    return reply


def formula(org, text, *, type="Currency", full_name=DEAL, **more):  # noqa: A002
    more = {"precision": 18, "scale": 2, **more} if type != "Text" else more
    return define(org, full_name, type=type, formula=text, **more)


def value(org, text, *, type="Currency", deal=None, **more):  # noqa: A002
    """What a formula comes to for a deal."""
    reply = formula(org, text, type=type, **more)
    assert reply.status_code == 201, reply.text
    return org.read("Opportunity", org.deal(**(deal or {})))["Net__c"]


@pytest.mark.parametrize(
    ("text", "came"),
    [
        ("Amount * 0.8", 80.0),
        ("Amount * Probability", 10.0),  # Prospecting: 10 %
        ("(Amount + 20) / 3", 40.0),
        ("IF(Amount > 50, MAX(Amount, 120), 0)", 120.0),
        ("CASE(StageName, 'Prospecting', 1, 'Closed Won', 2, 9)", 1.0),
        ("IF(ISPICKVAL(StageName, 'Closed Won'), Amount, -Amount ^ 1)", -100.0),
        ("BLANKVALUE(ExpectedRevenue, 5)", 10.0),
        ("ROUND(MOD(Amount, 7), 0) + LEN(Name) - DAY(CloseDate)", -25.0),
        ("CloseDate - DATE(2026, 12, 1)", 30.0),
        ("VALUE(TEXT(YEAR(CloseDate)) & '0')", 20260.0),
        ("1 / (Amount - 100)", None),
    ],
)
def test_a_formula_is_worked_out(org, text, came):
    """Fields, functions and operators; what cannot be worked out is blank."""
    assert value(org, text, deal={"Amount": 100}) == came


@pytest.mark.parametrize(
    ("text", "type_", "came"),
    [
        ("Name & '/' & UPPER(TEXT(StageName))", "Text", "Deal/PROSPECTING"),
        ("IF(ISBLANK(NextStep), NULL, 'x')", "Text", None),
        ("AND(NOT(IsClosed), Amount >= 100 || FALSE)", "Checkbox", True),
        ("CloseDate + 1", "Date", "2027-01-01"),
        ("Probability / 2", "Percent", 5.0),
    ],
)
def test_a_formula_has_the_type_it_was_given(org, text, type_, came):
    """Text, truth, day and percentage."""
    assert value(org, text, type=type_, deal={"Amount": 100}) == came


@pytest.mark.parametrize(("blank", "came"), [("BlankAsZero", 5.0), ("BlankAsBlank", None)])
def test_a_blank_amount_counts_as_its_maker_said(org, blank, came):
    """A deal without an amount: nothing, or blank."""
    assert value(org, "Amount + 5", formulaTreatBlanksAs=blank) == came


def test_a_formula_looks_up_from_a_country_of_ones_own(org):
    """The code of a country that is a lookup: what COUNTRY_CODE_FIELD can name."""
    body = {
        "FullName": "Account.Country__c",
        "Metadata": {
            "label": "Country",
            "type": "Lookup",
            "referenceTo": "Account",
            "relationshipName": "Inhabitants",
        },
    }
    org.call("POST", "/tooling/sobjects/CustomField", body)
    org.create(
        "FieldPermissions", ParentId=profile_set(org), SobjectType="Account",
        Field="Account.Country__c", PermissionsRead=True, PermissionsEdit=True,
    )  # fmt: skip
    formula(org, "Country__r.AccountNumber", type="Text", full_name="Account.Code__c")
    country = org.create("Account", Name="Norway", AccountNumber="NO")
    account = org.create("Account", Name="Fjord", Country__c=country)
    deal = org.deal(AccountId=account)

    found = org.query("SELECT Account.Code__c FROM Opportunity WHERE Account.Code__c = 'no'")

    assert [(row["Account"]["Code__c"], row["attributes"]["url"][-18:]) for row in found] == [
        ("NO", deal)
    ]


def test_a_formula_is_queried_like_any_field(org):
    """It filters, sorts and adds up."""
    formula(org, "Amount * 2")
    for amount in (3, 1, 2):
        org.deal(Name=f"D{amount}", Amount=amount)

    names = org.names("SELECT Name FROM Opportunity WHERE Net__c > 2 ORDER BY Net__c DESC")
    total = org.query("SELECT SUM(Net__c) total FROM Opportunity")[0]["total"]

    assert (names, total) == (["D3", "D2"], 12.0)


def test_a_formula_cannot_be_written(org):
    """A caller that writes one is refused, whatever the value."""
    formula(org, "Amount * 2")

    assert org.code(org.call("PATCH", f"/sobjects/Opportunity/{org.deal()}", {"Net__c": 1})) == (
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    )


def test_a_formula_says_that_it_is_one(org):
    """Its description tells, and what it says."""
    formula(org, "Amount * 2")
    fields = org.call("GET", "/sobjects/Opportunity/describe").json()["fields"]
    found = next(field for field in fields if field["name"] == "Net__c")

    assert [found[key] for key in ("calculated", "calculatedFormula", "createable", "type")] == [
        True,
        "Amount * 2",
        False,
        "currency",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Amount *", "Syntax error"),
        ("Amont * 2", "Field Amont does not exist"),
        ("Nobody.Name", "Field Nobody does not exist"),
        ("SUMME(Amount)", "Unknown function SUMME"),
        ("IF(Amount > 1)", "Incorrect number of parameters"),
        ("StageName & 'x'", "StageName is a picklist field"),
        ("Description & 'x'", "may not be used"),
        ("Amount # 2", "Syntax error"),
    ],
)
def test_a_formula_nobody_could_work_out_is_refused(org, text, told):
    """The administrator is told what is wrong with it."""
    reply = formula(org, text)

    assert org.code(reply) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert told in reply.json()[0]["message"]


def test_formulas_do_not_go_in_circles(org):
    """A formula that comes to itself by way of another is refused."""
    formula(org, "Amount")
    formula(org, "Net__c + 1", full_name="Opportunity.More__c")
    found = org.call(
        "GET",
        "/tooling/query",
        params={"q": "SELECT Id FROM CustomField WHERE DeveloperName = 'Net'"},
    ).json()["records"][0]["Id"]
    said = {"label": "Net", "type": "Currency", "scale": 2, "formula": "More__c + 1"}
    reply = org.call("PATCH", f"/tooling/sobjects/CustomField/{found}", {"Metadata": said})

    assert "circular" in reply.json()[0]["message"]


def roll_up(org, operation, **said):
    key = {"summaryForeignKey": "Microsoft_Solution__c.Opportunity__c"}
    return define(org, type="Summary", summaryOperation=operation, **key, **said)


def solution(org, deal, **fields):
    return org.create("Microsoft_Solution__c", Opportunity__c=deal, **fields)


def test_details_are_counted(org):
    """A total follows what is made and what is deleted."""
    roll_up(org, "count")
    deal = org.deal()
    counts = [org.read("Opportunity", deal)["Net__c"]]
    keys = [solution(org, deal) for _ in range(2)]
    counts.append(org.read("Opportunity", deal)["Net__c"])
    org.call("DELETE", f"/sobjects/Microsoft_Solution__c/{keys[0]}")
    counts.append(org.read("Opportunity", deal)["Net__c"])

    assert counts == [0.0, 2.0, 1.0]


@pytest.mark.parametrize(("operation", "came"), [("sum", 12.5), ("max", 7.5), ("min", 5.0)])
def test_details_are_added_up(org, operation, came):
    """Prices of what lies below; what a filter keeps out does not count."""
    price = {"type": "Currency", "precision": 18, "scale": 2}
    define(org, "Microsoft_Solution__c.Price__c", **price)
    org.call(
        "PATCH",
        f"/sobjects/FieldPermissions/{org.query(_PRICE_PERMISSION)[0]['Id']}",
        {"PermissionsEdit": True},
    )
    kept = {"field": "Microsoft_Solution__c.Type__c", "operation": "notEqual", "value": "free"}
    roll_up(
        org, operation, summarizedField="Microsoft_Solution__c.Price__c", summaryFilterItems=[kept]
    )
    deal = org.deal()
    solution(org, deal, Price__c=5)
    solution(org, deal, Price__c=7.5)
    solution(org, deal, Price__c=100, Type__c="free")

    assert org.read("Opportunity", deal)["Net__c"] == came


_PRICE_PERMISSION = "SELECT Id FROM FieldPermissions WHERE Field = 'Microsoft_Solution__c.Price__c'"


def test_a_deal_whose_total_moved_has_changed(org):
    """Whoever asks for what changed finds the deal, although nobody wrote to it."""
    roll_up(org, "count")
    deal = org.deal()
    org.control("clock", advance_s=60)
    since = org.emulator.clock.now().isoformat()[:19] + "Z"
    before = org.query(f"SELECT Id FROM Opportunity WHERE SystemModstamp >= {since}")
    solution(org, deal)
    after = org.query(f"SELECT Id FROM Opportunity WHERE SystemModstamp >= {since}")

    assert (before, [row["Id"] for row in after]) == ([], [deal])


@pytest.mark.parametrize(
    "said",
    [
        {"summaryForeignKey": "Contact.AccountId"},
        {"summaryOperation": "median"},
        {"summaryOperation": "sum", "summarizedField": "Microsoft_Solution__c.Name"},
    ],
)
def test_totals_are_of_details_only(org, said):
    """A lookup is no master, a text has no sum."""
    usual = {
        "summaryForeignKey": "Microsoft_Solution__c.Opportunity__c",
        "summaryOperation": "count",
    }

    assert define(org, type="Summary", **{**usual, **said}).status_code == 400
