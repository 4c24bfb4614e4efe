"""What fields take, and what they refuse."""

import pytest


def deal(**fields):
    return {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31", **fields}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Name": "D"}, "REQUIRED_FIELD_MISSING"),
        (deal(Colour="red"), "INVALID_FIELD"),
        (deal(Id="006Kx0000000001"), "INVALID_FIELD"),
        (deal(IsWon=True), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (deal(ExpectedRevenue=5), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (deal(Name="x" * 121), "STRING_TOO_LONG"),
        (deal(How_can_Microsoft_help__c="Money"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (deal(ForecastCategoryName="Sure"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (deal(CurrencyIsoCode="XXX"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (deal(CurrencyIsoCode="SEK"), "INVALID_CURRENCY_ISO"),
        (deal(AccountId="001Kx0000009999"), "INVALID_CROSS_REFERENCE_KEY"),
        (deal(AccountId="003Kx0000000001"), "FIELD_INTEGRITY_EXCEPTION"),
        (deal(AccountId="nonsense"), "MALFORMED_ID"),
        (deal(Amount="lots"), "JSON_PARSER_ERROR"),
        (deal(Amount={"value": 1}), "JSON_PARSER_ERROR"),
        (deal(Amount=1e17), "NUMBER_OUTSIDE_VALID_RANGE"),
        (deal(CloseDate="31.12.2026"), "JSON_PARSER_ERROR"),
        (deal(CloseDate="2026-13-01"), "JSON_PARSER_ERROR"),
        (deal(IsPrivate=None), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        (deal(StageName=""), "REQUIRED_FIELD_MISSING"),
    ],
)
def test_wrong_values_are_refused(org, body, code):
    """Every wrong value has its code, and nothing is written."""
    reply = org.call("POST", "/sobjects/Opportunity", body)

    assert (org.code(reply), org.query("SELECT Id FROM Opportunity")) == ((400, code), [])


def test_missing_fields_are_named_together(org):
    """One refusal names all fields that are missing."""
    [error] = org.call("POST", "/sobjects/Opportunity", {}).json()

    assert error["fields"] == ["Name", "StageName", "CloseDate"]


def test_too_long_texts_say_how_long_they_may_be(org):
    """The message names the field's label and its length."""
    [error] = org.call("POST", "/sobjects/Opportunity", deal(Name="x" * 121)).json()

    assert (error["message"][-16:], error["fields"]) == ("(max length=120)", ["Name"])


def test_a_required_field_cannot_be_emptied(org):
    """An update may not take away what a create must give."""
    key = org.deal()
    reply = org.call("PATCH", f"/sobjects/Opportunity/{key}", {"Name": None})

    assert org.code(reply) == (400, "REQUIRED_FIELD_MISSING")


def test_unique_key_may_not_be_used_twice(org):
    """A second row with a unique key is refused, and the first one is named."""
    key = org.deal(Referral_Identifier__c="r-1")
    [error] = org.call("POST", "/sobjects/Opportunity", deal(Referral_Identifier__c="R-1")).json()

    assert (error["errorCode"], key[:15] in error["message"]) == ("DUPLICATE_VALUE", True)


def test_a_deleted_rows_key_is_free_again(org):
    """The recycle bin holds no keys."""
    key = org.deal(Referral_Identifier__c="r-1")
    org.call("DELETE", f"/sobjects/Opportunity/{key}")

    assert org.deal(Referral_Identifier__c="r-1") != key


def test_a_deleted_parent_is_refused(org):
    """Nothing can be hung on a row in the recycle bin."""
    account = org.create("Account", Name="Acme")
    org.call("DELETE", f"/sobjects/Account/{account}")
    reply = org.call("POST", "/sobjects/Opportunity", deal(AccountId=account))

    assert org.code(reply)[1] == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("10000", "10000.0"),
        ('"10000.5"', "10000.5"),
        ("1234567890123456.78", "1234567890123456.78"),
        ("0.1", "0.1"),
        ("10.005", "10.01"),
        ("1e3", "1000.0"),
        ("0", "0.0"),
    ],
)
def test_amounts_keep_every_digit(org, given, shown):
    """An amount is answered digit by digit, rounded half up to two places."""
    body = f'{{"Name":"D","StageName":"Prospecting","CloseDate":"2026-12-31","Amount":{given}}}'
    key = org.call("POST", "/sobjects/Opportunity", body).json()["id"]
    text = org.call("GET", f"/sobjects/Opportunity/{key}?fields=Amount").text

    assert f'"Amount":{shown},' in text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00.000+0000"),
        ("2026-11-20T12:00:00.999+0200", "2026-11-20T10:00:00.000+0000"),
        ("2026-11-20T05:00:00-05:00", "2026-11-20T10:00:00.000+0000"),
        ("2026-11-20", "2026-11-20T00:00:00.000+0000"),
    ],
)
def test_moments_are_answered_in_utc(org, given, shown):
    """A moment may come in any zone and goes out in one."""
    key = org.create("Contact", LastName="Doe", EmailBouncedDate=given)

    assert org.read("Contact", key)["EmailBouncedDate"] == shown


def test_texts_are_taken_for_flags_and_whole_numbers(org):
    """Command lines send everything as text."""
    key = org.create("Account", Name="Acme", NumberOfEmployees="5")

    assert org.read("Account", key)["NumberOfEmployees"] == 5


def test_white_space_around_a_text_is_cut(org):
    """Salesforce trims texts."""
    key = org.create("Account", Name="  Acme ")

    assert org.read("Account", key)["Name"] == "Acme"


def test_an_empty_text_is_nothing(org):
    """An empty text reads as null."""
    key = org.create("Account", Name="Acme", Phone="")

    assert org.read("Account", key)["Phone"] is None


def test_an_address_is_shown_as_a_whole(org):
    """The parts of an address are also one field."""
    key = org.create("Account", Name="Acme", BillingCity="Aarhus", BillingCountry="DK")

    assert org.read("Account", key)["BillingAddress"]["country"] == "DK"


def test_mail_addresses_are_checked(org):
    """What is no address is refused."""
    reply = org.call("POST", "/sobjects/Contact", {"LastName": "Doe", "Email": "doe"})

    assert org.code(reply) == (400, "INVALID_EMAIL_ADDRESS")


def test_objects_of_the_platform_cannot_be_made(org):
    """Not every object has rows a caller may create."""
    reply = org.call("POST", "/sobjects/Profile", {"Name": "Mine"})

    assert org.code(reply) == (400, "INVALID_TYPE_FOR_OPERATION")
