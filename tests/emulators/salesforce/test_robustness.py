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
