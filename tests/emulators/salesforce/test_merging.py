"""Records that are merged over SOAP: one stays, and has what belonged to the others."""

import pytest

from .test_leads import found, soap


def merged(org, name, master, *others, **fields):
    said = "".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
    ids = "".join(f"<recordToMergeIds>{one}</recordToMergeIds>" for one in others)
    master_record = f'<masterRecord xsi:type="{name}"><Id>{master}</Id>{said}</masterRecord>'
    return soap(org, "merge", f"<request>{master_record}{ids}</request>")


def test_the_others_are_gone_and_name_the_one_that_stayed(org):
    """MasterRecordId is what tells a merged record from a deleted one."""
    first, second = (org.create("Account", Name=name) for name in ("Acme", "ACME Inc."))

    reply = merged(org, "Account", first, second, Description="one of two")

    gone = org.http.get(
        "/services/data/v68.0/queryAll",
        params={"q": f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{second}'"},
    ).json()["records"][0]
    assert (found(reply, "success"), found(reply, "mergedRecordIds")) == ("true", second)
    assert (gone["IsDeleted"], gone["MasterRecordId"]) == (True, first)
    assert org.query(f"SELECT Description FROM Account WHERE Id = '{first}'")[0]["Description"] == (
        "one of two"
    )


def test_what_belonged_to_the_others_belongs_to_the_one_that_stayed(org):
    """Deals and contacts go over, and are changed by that."""
    first, second = (org.create("Account", Name=name) for name in ("Acme", "ACME Inc."))
    person = org.create("Contact", LastName="Doe", AccountId=second)
    deal = org.create("Opportunity", Name="D", StageName="Prospecting", CloseDate="2027-01-31",
                      AccountId=second, ContactId=person)  # fmt: skip

    reply = merged(org, "Account", first, second)

    moved = org.query(f"SELECT AccountId FROM Opportunity WHERE Id = '{deal}'")
    people = org.query(f"SELECT AccountId FROM Contact WHERE Id = '{person}'")
    assert [one[0]["AccountId"] for one in (moved, people)] == [first, first]
    assert deal in reply.text


def test_a_person_has_one_role_in_a_deal_afterwards(org):
    """Two contacts of one deal that are merged are one of it."""
    account = org.create("Account", Name="Acme")
    people = [org.create("Contact", LastName=name, AccountId=account) for name in "AB"]
    deal = org.create("Opportunity", Name="D", StageName="Prospecting", CloseDate="2027-01-31",
                      AccountId=account, ContactId=people[1])  # fmt: skip
    org.create("OpportunityContactRole", OpportunityId=deal, ContactId=people[0])

    merged(org, "Contact", *people)

    roles = org.query(
        f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{deal}'"
    )
    assert [one["ContactId"] for one in roles] == [people[0]]


@pytest.mark.parametrize(
    ("name", "others", "code"),
    [
        ("Opportunity", ["b"], "INVALID_TYPE"),
        ("Lead", ["a"], "INVALID_ID_FIELD"),
        ("Lead", [], "INVALID_NUM_ARGS"),
        ("Lead", ["b", "b", "b"], "INVALID_NUM_ARGS"),
        ("Lead", ["nobody"], "MALFORMED_ID"),
    ],
)
def test_what_cannot_be_merged_is_refused(org, name, others, code):
    """And nothing is changed by it."""
    ids = {key: org.create("Lead", LastName=key, Company="Acme") for key in "ab"}

    reply = merged(org, name, ids["a"], *(ids.get(one, one) for one in others))

    assert (found(reply, "success"), found(reply, "statusCode")) == ("false", code)
    assert len(org.query("SELECT Id FROM Lead WHERE Company = 'Acme'")) == 2
