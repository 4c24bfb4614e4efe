"""Rows by id and by external id."""

import pytest


def test_a_new_row_is_answered_with_its_long_id(org):
    """A create answers 201, an id of eighteen characters, and where the row is."""
    reply = org.call("POST", "/sobjects/Account", {"Name": "Acme"})

    assert (reply.status_code, reply.headers["Location"]) == (
        201,
        f"/services/data/v68.0/sobjects/Account/{reply.json()['id']}",
    )


def test_names_are_found_whatever_their_case(org):
    """Objects and fields are answered in their canonical case."""
    key = org.create("aCCount", nAME="Acme")

    assert org.read("account", key)["Name"] == "Acme"


def test_short_id_finds_the_row(org):
    """Fifteen characters are enough in an address."""
    key = org.create("Account", Name="Acme")

    assert org.read("Account", key[:15])["Id"] == key


def test_long_id_finds_the_row_in_any_case(org):
    """The last three characters restore the case of the others."""
    key = org.create("Account", Name="Acme")

    assert org.read("Account", key.lower())["Id"] == key


def test_fields_cut_the_answer(org):
    """Only the wanted fields are answered."""
    key = org.create("Account", Name="Acme")
    body = org.call("GET", f"/sobjects/Account/{key}", params={"fields": "name"}).json()

    assert set(body) == {"attributes", "Name", "Id"}


def test_update_answers_nothing(org):
    """A change answers 204 without a body."""
    key = org.create("Account", Name="Acme")
    reply = org.call("PATCH", f"/sobjects/Account/{key}", {"Name": "Beta"})

    assert (reply.status_code, reply.content) == (204, b"")


def test_deleted_row_is_gone(org):
    """A deleted row says that it was deleted."""
    key = org.create("Account", Name="Acme")
    org.call("DELETE", f"/sobjects/Account/{key}")

    assert org.code(org.call("GET", f"/sobjects/Account/{key}")) == (404, "ENTITY_IS_DELETED")


def test_deleting_an_account_takes_what_belongs_to_it(org):
    """Contacts and opportunities go with their account."""
    account = org.create("Account", Name="Acme")
    org.deal(AccountId=account)
    org.call("DELETE", f"/sobjects/Account/{account}")

    assert org.query("SELECT Id FROM Opportunity") == []


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/sobjects/Nothing", (404, "NOT_FOUND")),
        ("GET", "/nothing", (404, "NOT_FOUND")),
        ("GET", "/sobjects/Account/001Kx0000009999", (404, "NOT_FOUND")),
        ("PATCH", "/sobjects/Account/001Kx0000009999", (404, "INVALID_CROSS_REFERENCE_KEY")),
        ("DELETE", "/sobjects/Account/001Kx0000009999", (404, "INVALID_CROSS_REFERENCE_KEY")),
        ("PATCH", "/sobjects/Account/001Kx00000099-9", (400, "MALFORMED_ID")),
        ("GET", "/sobjects/Account/Name/x", (404, "NOT_FOUND")),
        ("PUT", "/sobjects/Account/001Kx0000009999", (405, "METHOD_NOT_ALLOWED")),
        ("DELETE", "/limits", (405, "METHOD_NOT_ALLOWED")),
    ],
)
def test_what_is_not_there_is_said_to_be_so(org, method, path, answer):
    """Every wrong address has its own code."""
    assert org.code(org.call(method, path, {} if method == "PATCH" else None)) == answer


def test_head_answers_without_a_body(org):
    """HEAD answers the headers of GET."""
    key = org.create("Account", Name="Acme")
    reply = org.call("HEAD", f"/sobjects/Account/{key}")

    assert (reply.status_code, reply.content, "etag" in reply.headers) == (200, b"", True)


def test_first_upsert_creates(org):
    """An upsert of a new key answers 201 and says that it created."""
    body = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    reply = org.call("PATCH", "/sobjects/Opportunity/Referral_Identifier__c/r-1", body)

    assert (reply.status_code, reply.json()["created"]) == (201, True)


def test_second_upsert_updates_whatever_the_case_of_the_key(org):
    """An upsert of a known key answers 200; keys compare without regard to case."""
    key = org.deal(Referral_Identifier__c="r-1")
    reply = org.call("PATCH", "/sobjects/Opportunity/Referral_Identifier__c/R-1", {"Name": "E"})

    assert (reply.status_code, reply.json()) == (
        200,
        {"id": key, "success": True, "errors": [], "created": False},
    )


def test_old_versions_answer_an_updating_upsert_with_nothing(org):
    """Before version 46 an update by key answered 204."""
    org.deal(Referral_Identifier__c="r-1")
    path = "/services/data/v45.0/sobjects/Opportunity/Referral_Identifier__c/r-1"

    assert org.http.patch(path, json={"Name": "E"}).status_code == 204


def test_update_only_never_creates(org):
    """An upsert that may only update answers 404 for a new key."""
    path = "/sobjects/Opportunity/Referral_Identifier__c/r-1?updateOnly=true"

    assert org.call("PATCH", path, {"Name": "E"}).status_code == 404


def test_key_in_both_address_and_body_is_refused(org):
    """The key of an upsert belongs in the address alone."""
    body = {"Referral_Identifier__c": "r-1", "Name": "D"}
    reply = org.call("PATCH", "/sobjects/Opportunity/Referral_Identifier__c/r-1", body)

    assert org.code(reply) == (400, "INVALID_FIELD")


def test_key_with_a_slash_in_it_is_found(org):
    """An encoded slash belongs to the key."""
    org.deal(Referral_Identifier__c="a/b")
    reply = org.call("GET", "/sobjects/Opportunity/Referral_Identifier__c/a%2Fb")

    assert reply.json()["Referral_Identifier__c"] == "a/b"


def test_several_matches_are_listed(org):
    """A key that fits several rows answers 300 with their addresses."""
    for _ in range(2):
        org.create("Contact", LastName="Doe", Email="doe@example.com")
    reply = org.call("PATCH", "/sobjects/Contact/Email/doe@example.com", {"LastName": "Roe"})

    assert (reply.status_code, len(reply.json())) == (300, 2)


def test_post_to_id_creates(org):
    """Upserting by an empty id is an insert."""
    reply = org.call("POST", "/sobjects/Account/Id", {"Name": "Acme"})

    assert (reply.status_code, reply.json()["created"]) == (201, True)


def test_parent_may_be_named_by_its_key(org):
    """A body may name a parent by an external id."""
    deal = org.deal(Referral_Identifier__c="r-1")
    parent = {"Referral_Identifier__c": "r-1"}
    key = org.create("Microsoft_Solution__c", Name="S", Opportunity__r=parent)

    assert org.read("Microsoft_Solution__c", key)["Opportunity__c"] == deal


def test_parents_can_be_read_through_a_row(org):
    """A relationship is an address."""
    account = org.create("Account", Name="Acme")
    deal = org.deal(AccountId=account)

    assert org.call("GET", f"/sobjects/Opportunity/{deal}/Account").json()["Id"] == account


def test_stale_writer_is_refused(org):
    """A row that changed since the caller saw it answers 412."""
    key = org.deal()
    org.control("clock", advance_s=10)
    seen = org.call("GET", f"/sobjects/Opportunity/{key}").headers["Last-Modified"]
    org.call("PATCH", f"/sobjects/Opportunity/{key}", {"Name": "Other"})
    reply = org.call(
        "PATCH",
        f"/sobjects/Opportunity/{key}",
        {"Name": "X"},
        headers={"If-Unmodified-Since": seen},
    )

    assert org.code(reply) == (412, "PRECONDITION_FAILED")


def test_two_writes_in_one_second_pass(org):
    """Conditions have the granularity of a second."""
    key = org.deal()
    seen = org.call("GET", f"/sobjects/Opportunity/{key}").headers["Last-Modified"]
    reply = org.call(
        "PATCH",
        f"/sobjects/Opportunity/{key}",
        {"Name": "X"},
        headers={"If-Unmodified-Since": seen},
    )

    assert reply.status_code == 204


def test_a_date_nobody_can_read_is_refused_on_writes(org):
    """A write with an unreadable condition is not done."""
    key = org.deal()
    bad = {"If-Unmodified-Since": "yesterday"}
    reply = org.call("PATCH", f"/sobjects/Opportunity/{key}", {"Name": "X"}, headers=bad)

    assert reply.status_code == 400


def test_unchanged_row_is_not_sent_again(org):
    """A conditional read of an unchanged row answers 304."""
    key = org.deal()
    seen = org.call("GET", f"/sobjects/Opportunity/{key}").headers["Last-Modified"]
    reply = org.call("GET", f"/sobjects/Opportunity/{key}", headers={"If-Modified-Since": seen})

    assert reply.status_code == 304


def test_stamps_are_the_writers_and_have_whole_seconds(org):
    """A change stamps the row with who and when."""
    key = org.deal()
    org.control("clock", now="2027-01-02T03:04:05.678Z")
    org.log_in("sara.seller@cosell.example.com")
    org.call("PATCH", f"/sobjects/Opportunity/{key}", {"Name": "X"})

    assert org.read("Opportunity", key)["LastModifiedDate"] == "2027-01-02T03:04:05.000+0000"


@pytest.mark.parametrize(
    ("content", "kind", "answer"),
    [
        ("{", "application/json", (400, "JSON_PARSER_ERROR")),
        ("", "application/json", (400, "JSON_PARSER_ERROR")),
        ("[]", "application/json", (400, "JSON_PARSER_ERROR")),
        ("<a/>", "text/html", (415, "UNSUPPORTED_MEDIA_TYPE")),
    ],
)
def test_bodies_that_are_no_rows_are_refused(org, content, kind, answer):
    """A body must be a JSON object, and say that it is JSON."""
    reply = org.call("POST", "/sobjects/Account", content, headers={"Content-Type": kind})

    assert org.code(reply) == answer


@pytest.mark.parametrize(
    ("path", "status"),
    [("v30.0/limits", 410), ("v31.0/limits", 200), ("v68.0/limits", 200), ("v69.0/limits", 404)],
)
def test_versions_from_31_to_68_are_served(org, path, status):
    """Older versions are gone, newer ones are not there yet."""
    assert org.http.get(f"/services/data/{path}").status_code == status


def test_versions_are_told_to_strangers(org):
    """The list of versions needs no token, oldest first, and counts as no call."""
    reply = org.http.get("/services/data", headers={"Authorization": ""})

    versions = reply.json()
    assert [versions[0]["version"], versions[-1]["label"]] == ["31.0", "Winter '27"]
    assert "sforce-limit-info" not in reply.headers


def test_calls_are_counted(org):
    """Every answer says how many calls were made today."""
    org.call("GET", "/limits")

    assert org.call("GET", "/limits").headers["Sforce-Limit-Info"] == "api-usage=2/100000"


def test_a_used_up_day_refuses(org):
    """Past the day's calls there are no more."""
    org.control("org", daily_calls=0)

    assert org.code(org.call("GET", "/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_an_address_too_long_is_refused(org):
    """Addresses end at 16 KiB."""
    assert org.call("GET", "/query", params={"q": "x" * 17_000}).status_code == 414
