"""What nobody should send is refused, never a crash."""

import json

import pytest

WRITES = [
    ("POST", "/composite"),
    ("POST", "/composite/batch"),
    ("POST", "/composite/graph"),
    ("POST", "/composite/tree/Account"),
    ("POST", "/composite/sobjects"),
    ("PATCH", "/composite/sobjects"),
    ("PATCH", "/composite/sobjects/Account/Id"),
    ("POST", "/composite/sobjects/Account"),
    ("POST", "/sobjects/Opportunity"),
    ("POST", "/sobjects/User"),
    ("POST", "/jobs/ingest"),
    ("POST", "/jobs/query"),
]
BODIES = [
    {"records": [1]},
    {"records": {"a": 1}, "ids": 5, "fields": -1.5},
    {"records": [{"attributes": 3, "Name": "x"}]},
    {"batchRequests": [["x"], 1]},
    {"compositeRequest": [{"method": "GET", "url": "/x", "referenceId": ["r"]}]},
    {"compositeRequest": ["x"]},
    {"graphs": [1]},
    {"graphs": [{"compositeRequest": [{}]}]},
    {"Account": {"attributes": 3, "Referral_Identifier__c": {}}},
    {"Account": 5},
    {"Name": {"deep": [1]}, "Amount": 10**40},
]


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("body", BODIES, ids=json.dumps)
def test_nonsense_is_answered(org, method, path, body):
    """Every body gets an answer that is not an accident."""
    assert org.call(method, path, body).status_code < 500


@pytest.mark.parametrize(
    "having", ["StageName < 5", "COUNT(Id) > 'x'", "MAX(CloseDate) > 5", "Name = 'x'"]
)
def test_groups_are_compared_with_what_fits(demo, having):
    """HAVING refuses a value of another type, and a column that is not grouped."""
    text = f"SELECT StageName FROM Opportunity GROUP BY StageName HAVING {having}"

    assert demo.refused(text)[0] == 400


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Account WHERE " + "(" * 2000 + "Name = 'a'" + ")" * 2000, None),
        ("SELECT Id FROM Account WHERE " + "NOT " * 1500 + "Name = 'a'", None),
        ("SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:999999999", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-13-45T99:99:99Z", "MALFORMED_QUERY"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity HAVING COUNT(Id) > 1", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account USING SCOPE nothing", "MALFORMED_QUERY"),
        ("SELECT MAX(IsWon) FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE IsPartner > true", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
def test_queries_no_parser_likes(org, text, code):
    """However odd a query, it is refused with a code, not with a broken server."""
    assert org.refused(text) == (400, code or "QUERY_TOO_COMPLICATED")


@pytest.mark.parametrize(
    "said",
    [
        {"type": ["Text"], "label": "x", "length": 5},
        {"type": "Text", "label": {}, "length": "9" * 22},
        {"type": "Lookup", "label": "x", "referenceTo": [{}], "relationshipName": {}},
        {"type": "Picklist", "label": "x", "valueSet": {"valueSetDefinition": {"value": [3]}}},
        {"type": "Number", "label": "x", "precision": "a", "scale": -1},
    ],
)
def test_nonsense_descriptions(org, said):
    """A field described in nonsense is refused, or made of what can be understood."""
    body = {"FullName": "Opportunity.X__c", "Metadata": said}

    assert org.call("POST", "/tooling/sobjects/CustomField", body).status_code in (201, 400)


def test_headers_that_are_too_long(org):
    """More headers than the platform reads are refused with 431."""
    reply = org.call("GET", "/limits", headers={"X-Long": "x" * 17_000})

    assert reply.status_code == 431


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FIND", "MALFORMED_SEARCH"),
        ("FIND {}", "MALFORMED_SEARCH"),
        ("FIND {x} RETURNING", "MALFORMED_SEARCH"),
        ("FIND {x} RETURNING Account(", "MALFORMED_SEARCH"),
        ("FIND {x} RETURNING Nope(Id)", "INVALID_TYPE"),
        ("FIND {x} RETURNING Account(Nope)", "INVALID_FIELD"),
        ("FIND {x} RETURNING Account(COUNT(Id))", "MALFORMED_SEARCH"),
    ],
)
def test_searches_that_make_no_sense(org, text, code):
    """A search that cannot be understood is refused with a code."""
    assert org.code(org.call("GET", "/search", params={"q": text})) == (400, code)
