"""What follows from a stage, a contact, a currency."""

import pytest


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("Prospecting", (10.0, "Pipeline", "Pipeline", False, False)),
        ("Negotiation/Review", (90.0, "Pipeline", "Pipeline", False, False)),
        ("Closed Won", (100.0, "Closed", "Closed", True, True)),
        ("Closed Lost", (0.0, "Omitted", "Omitted", True, False)),
    ],
)
def test_the_stage_decides(org, stage, expected):
    """Probability, forecast and whether it is closed or won follow from the stage."""
    row = org.read("Opportunity", org.deal(StageName=stage))
    names = ("Probability", "ForecastCategory", "ForecastCategoryName", "IsClosed", "IsWon")

    assert tuple(row[name] for name in names) == expected


def test_a_new_stage_decides_anew(org):
    """A change of stage brings the new stage's probability."""
    key = org.deal(Probability=33)
    org.call("PATCH", f"/sobjects/Opportunity/{key}", {"StageName": "Value Proposition"})

    assert org.read("Opportunity", key)["Probability"] == 50.0


def test_a_named_probability_wins(org):
    """What a caller names in the same call is kept."""
    key = org.deal()
    body = {"StageName": "Value Proposition", "Probability": 42}
    org.call("PATCH", f"/sobjects/Opportunity/{key}", body)

    assert org.read("Opportunity", key)["Probability"] == 42.0


def test_other_changes_leave_the_probability(org):
    """Without a change of stage the probability stays."""
    key = org.deal(Probability=33)
    org.call("PATCH", f"/sobjects/Opportunity/{key}", {"Amount": 100})

    assert org.read("Opportunity", key)["ExpectedRevenue"] == 33.0


def test_a_contact_at_birth_is_the_primary_contact(org):
    """ContactId makes a primary role, and cannot be changed later."""
    contact = org.create("Contact", LastName="Doe")
    key = org.deal(ContactId=contact)
    [role] = org.query("SELECT OpportunityId, IsPrimary FROM OpportunityContactRole")

    assert (role["OpportunityId"], role["IsPrimary"]) == (key, True)


def test_the_contact_cannot_be_changed_on_the_opportunity(org):
    """After birth, contacts are changed through their roles."""
    contact = org.create("Contact", LastName="Doe")
    reply = org.call("PATCH", f"/sobjects/Opportunity/{org.deal()}", {"ContactId": contact})

    assert org.code(reply) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_there_is_one_primary_contact(org):
    """A new primary contact takes the place of the old one."""
    first, second = (org.create("Contact", LastName=name) for name in ("Doe", "Roe"))
    key = org.deal(ContactId=first)
    org.create("OpportunityContactRole", OpportunityId=key, ContactId=second, IsPrimary=True)
    primary = org.query("SELECT ContactId FROM OpportunityContactRole WHERE IsPrimary = true")
    shown = org.read("Opportunity", key)["ContactId"]

    assert ([role["ContactId"] for role in primary], shown) == ([second], second)


def test_the_currency_is_the_dollar_unless_named(org):
    """An opportunity has the org's currency when nobody names one."""
    assert org.read("Opportunity", org.deal())["CurrencyIsoCode"] == "USD"


@pytest.mark.parametrize("code", ["USD", "EUR", "GBP", "DKK", "NOK", "BRL", "JPY", "KWD"])
def test_active_currencies_are_taken(org, code):
    """All active currencies can be used, in any case."""
    key = org.deal(CurrencyIsoCode=code.lower())

    assert org.read("Opportunity", key)["CurrencyIsoCode"] == code


def test_the_fiscal_period_follows_the_date(org):
    """Year and quarter are those of the closing date."""
    assert org.read("Opportunity", org.deal(CloseDate="2027-05-01"))["Fiscal"] == "2027 2"


def test_a_solution_goes_with_its_opportunity(org):
    """A solution needs an opportunity, and is deleted with it."""
    key = org.deal()
    org.create("Microsoft_Solution__c", Opportunity__c=key)
    org.call("DELETE", f"/sobjects/Opportunity/{key}")

    assert org.query("SELECT Id FROM Microsoft_Solution__c") == []


def test_a_team_has_every_member_once(org):
    """A second row for the same member changes the first."""
    key, user = org.deal(), org.emulator.org.user("sara.seller@cosell.example.com").id
    first = org.create("OpportunityTeamMember", OpportunityId=key, UserId=user)
    level = {"OpportunityAccessLevel": "Edit"}
    second = org.create("OpportunityTeamMember", OpportunityId=key, UserId=user, **level)

    assert first == second


def test_an_inactive_owner_is_refused(org):
    """Nobody who has left can own a row."""
    user = org.emulator.org.user("sara.seller@cosell.example.com").id
    org.call("PATCH", f"/sobjects/User/{user}", {"IsActive": False})
    reply = org.call("PATCH", f"/sobjects/Opportunity/{org.deal()}", {"OwnerId": user})

    assert org.code(reply) == (400, "INACTIVE_OWNER_OR_USER")


def test_long_audits_are_kept(org):
    """The audit holds a hundred thousand signs, line breaks included."""
    text = "2026-11-24 10:00 - æ ✔ done\n" * 3000
    key = org.deal(Audit__c=text)

    assert org.read("Opportunity", key)["Audit__c"] == text.strip()


def test_notes_hang_on_an_opportunity(org):
    """A classic note is found below its parent."""
    key = org.deal()
    org.create("Note", ParentId=key, Title="T", Body="B")
    [found] = org.query("SELECT (SELECT Title FROM Notes) FROM Opportunity")

    assert found["Notes"]["totalSize"] == 1


def test_an_enhanced_note_is_linked_to_an_opportunity(org):
    """A content note is a document, and a link hangs it on a row."""
    note = org.create("ContentNote", Title="T", Content="SGVsbG8=")
    link = {"ContentDocumentId": note, "LinkedEntityId": org.deal(), "ShareType": "V"}
    org.create("ContentDocumentLink", **link)

    assert org.call("GET", f"/sobjects/ContentNote/{note}/Content").content == b"Hello"
