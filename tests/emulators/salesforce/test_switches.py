"""What a test may switch in the org, and what the org is like then."""

import pytest


def account(org, **fields):
    return org.call("POST", "/sobjects/Account", {"Name": "A", **fields})


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("pt_BR", "Campos obrigatórios ausentes: [Name]"),
        ("de", "Erforderliche Felder fehlen: [Name]"),
        ("ja", "必須項目がありません: [Name]"),
    ],
)
def test_refusals_are_in_the_users_language(org, language, message):
    """The words change with the language of whoever calls; the code and the fields do not."""
    me = org.emulator.org.admin_id
    org.call("PATCH", f"/sobjects/User/{me}", {"LanguageLocaleKey": language})

    told = org.call("POST", "/sobjects/Account", {}).json()

    assert told == [{"message": message, "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]}]


def test_a_language_for_all(org):
    """One switch puts every refusal into a language, inside collections as well."""
    org.control("org", language="fr")
    body = {"records": [{"attributes": {"type": "Account"}}]}

    told = org.call("POST", "/composite/sobjects", body).json()

    assert told[0]["errors"][0]["message"] == "Champs requis manquants: [Name]"


def test_a_validation_rule_speaks(org):
    """A row a rule forbids is refused in the rule's own words."""
    rule = {
        "object": "Opportunity",
        "fits": {"StageName": "Closed Lost", "NextStep": None},
        "message": "Say why it was lost.",
        "field": "NextStep",
    }
    org.control("org", validation_rules=[rule])
    deal = org.deal()
    reply = org.call("PATCH", f"/sobjects/Opportunity/{deal}", {"StageName": "closed lost"})

    assert (reply.status_code, reply.json()) == (
        400,
        [
            {
                "message": "Say why it was lost.",
                "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "fields": ["NextStep"],
            }
        ],
    )


@pytest.mark.parametrize("spelling", ["duplicateResut", "duplicateResult"])
def test_duplicates_are_told_in_either_spelling(org, spelling):
    """A duplicate rule names the double; the key is spelt as the test wants it."""
    rule = {"object": "Account", "fields": ["Name"], "spelling": spelling}
    org.control("org", duplicate_rules=[rule])
    first = account(org, Phone="1").json()["id"]
    reply = account(org)
    found = reply.json()[0][spelling]["matchResults"][0]["matchRecords"][0]["record"]

    assert (org.code(reply), found["Id"], "Phone" in found) == (
        (400, "DUPLICATES_DETECTED"),
        first,
        False,
    )


def test_duplicates_are_shown_in_full_when_asked(org):
    """A caller may ask for the fields of the double, or for saving it all the same."""
    org.control("org", duplicate_rules=[{"object": "Account", "fields": ["Name"]}])
    account(org, Phone="1")
    body = {"Name": "A"}
    header = {"Sforce-Duplicate-Rule-Header": "includeRecordDetails=true"}
    told = org.call("POST", "/sobjects/Account", body, headers=header).json()[0]
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    saved = org.call("POST", "/sobjects/Account", body, headers=header)
    record = told["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]

    assert (record["Phone"], saved.status_code) == ("1", 201)


def test_country_picklists(org):
    """With picklists on, a country follows from its code, and the code from the country."""
    org.control("org", country_picklists=True)
    one = account(org, BillingCountryCode="dk").json()["id"]
    other = account(org, BillingCountry="germany").json()["id"]
    shown = [
        (row["BillingCountry"], row["BillingCountryCode"])
        for row in (org.read("Account", one), org.read("Account", other))
    ]

    assert shown == [("Denmark", "DK"), ("Germany", "DE")]


@pytest.mark.parametrize(
    "fields",
    [
        {"BillingCountry": "DK"},
        {"BillingCountry": "Atlantis"},
        {"BillingCountryCode": "XX"},
        {"BillingCountryCode": "DK", "BillingCountry": "Norway"},
    ],
)
def test_countries_that_are_none(org, fields):
    """With picklists on, what is no country, or two at once, is refused."""
    org.control("org", country_picklists=True)

    assert org.code(account(org, **fields)) == (400, "FIELD_INTEGRITY_EXCEPTION")


def test_country_picklists_of_codes(org):
    """Where the values are the codes, a code in the country's own field is right."""
    org.control("org", country_picklists=True, country_values="codes")
    row = org.read("Account", account(org, BillingCountry="DK").json()["id"])

    assert (row["BillingCountry"], row["BillingCountryCode"]) == ("DK", "DK")


def test_countries_that_were_there_before(demo):
    """Switching the picklists on makes values of what rows held, and switching off takes codes."""
    demo.control("org", country_picklists=True)
    text = "SELECT BillingCountryCode, BillingCountry FROM Account WHERE Name LIKE 'Aarhus%'"
    row = demo.query(text)[0]
    demo.control("org", country_picklists=False)

    assert (row["BillingCountryCode"], row["BillingCountry"]) == ("DK", "Denmark")
    assert demo.refused(text) == (400, "INVALID_FIELD")


def test_an_org_of_one_currency(demo):
    """Without several currencies no row names one, and nobody may ask."""
    demo.control("org", multi_currency=False)
    described = demo.call("GET", "/sobjects/Opportunity/describe").json()["fields"]
    reply = demo.call("POST", "/sobjects/Account", {"Name": "x", "CurrencyIsoCode": "USD"})

    assert (
        "CurrencyIsoCode" in {field["name"] for field in described},
        demo.refused("SELECT CurrencyIsoCode FROM Opportunity"),
        demo.refused("SELECT Id FROM CurrencyType"),
        demo.code(reply),
        demo.deal() is not None,
    ) == (False, (400, "INVALID_FIELD"), (400, "INVALID_TYPE"), (400, "INVALID_FIELD"), True)


@pytest.mark.parametrize("body", [{"page_size": "many"}, {"nonsense": 1}, {"duplicate_rules": 3}])
def test_switches_that_make_no_sense(org, body):
    """A wrong switch is refused in a sentence."""
    reply = org.http.post("/__sandbox__/org", json=body)

    assert (reply.status_code, "error" in reply.json()) == (400, True)
