"""Several things in one call."""

import pytest

BASE = "/services/data/v68.0"


def part(reference, method, path, body=None):
    return {"method": method, "url": BASE + path, "referenceId": reference, "body": body}


def composite(org, *parts, **more):
    reply = org.call("POST", "/composite", {"compositeRequest": list(parts), **more})
    return [(p["httpStatusCode"], p["body"]) for p in reply.json()["compositeResponse"]]


def account(**fields):
    return {"attributes": {"type": "Account"}, **fields}


def test_later_parts_use_what_earlier_ones_answered(org):
    """A reference stands for a value of an earlier answer."""
    [_, _, (_, found)] = composite(
        org,
        part("a", "POST", "/sobjects/Account", {"Name": "Acme"}),
        part("c", "POST", "/sobjects/Contact", {"LastName": "Doe", "AccountId": "@{a.id}"}),
        part("q", "GET", "/query?q=SELECT+Account.Name+FROM+Contact+WHERE+Id='@{c.id}'"),
    )

    assert found["records"][0]["Account"]["Name"] == "Acme"


def test_a_reference_reaches_into_records(org):
    """A path may go through lists."""
    org.create("Account", Name="Acme")
    [_, (status, _)] = composite(
        org,
        part("q", "GET", "/query?q=SELECT+Id+FROM+Account"),
        part("p", "PATCH", "/sobjects/Account/@{q.records[0].Id}", {"Name": "Beta"}),
    )

    assert status == 204


def test_all_or_none_leaves_nothing(org):
    """One failure takes everything back, and the others say that they were halted."""
    [first, second] = composite(
        org,
        part("a", "POST", "/sobjects/Account", {"Name": "Acme"}),
        part("b", "POST", "/sobjects/Account", {}),
        allOrNone=True,
    )

    assert (first[1][0]["errorCode"], second[0], org.query("SELECT Id FROM Account")) == (
        "PROCESSING_HALTED",
        400,
        [],
    )


def test_without_all_or_none_the_good_parts_stay(org):
    """Parts stand for themselves unless told otherwise."""
    composite(
        org,
        part("a", "POST", "/sobjects/Account", {"Name": "Acme"}),
        part("b", "POST", "/sobjects/Account", {}),
    )

    assert org.names("SELECT Name FROM Account") == ["Acme"]


def test_an_unknown_object_is_answered_as_recorded(org):
    """The recorded answer of a real org for an object that does not exist."""
    [(status, body)] = composite(org, part("r", "GET", "/sobjects/Foo"))

    assert (status, body) == (
        404,
        [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}],
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"compositeRequest": [{"method": "GET", "url": BASE + "/limits"}]},
        {"compositeRequest": [part("a", "GET", "/limits")] * 2},
        {"compositeRequest": [part(f"r{n}", "GET", "/limits") for n in range(26)]},
        {"compositeRequest": [part(f"r{n}", "GET", "/query?q=x") for n in range(6)]},
    ],
)
def test_a_malformed_composite_runs_nothing(org, body):
    """What is malformed or too much is refused as a whole."""
    assert org.call("POST", "/composite", body).status_code == 400


def test_a_collection_answers_in_its_order(org):
    """Failures stand among the successes, and the call succeeds."""
    rows = [account(Name="A"), account(), account(Name="C")]
    results = org.call("POST", "/composite/sobjects", {"records": rows}).json()

    assert [result["success"] for result in results] == [True, False, True]


def test_a_collections_errors_call_their_code_a_status(org):
    """Inside results the code goes by another name."""
    [result] = org.call("POST", "/composite/sobjects", {"records": [account()]}).json()

    assert result["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"


def test_a_collection_may_be_all_or_none(org):
    """With allOrNone the good rows are rolled back."""
    body = {"allOrNone": True, "records": [account(Name="A"), account()]}
    [good, _] = org.call("POST", "/composite/sobjects", body).json()

    assert (good["errors"][0]["statusCode"], org.query("SELECT Id FROM Account")) == (
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        [],
    )


def test_a_collection_changes_rows_of_several_kinds(org):
    """An update may mix objects."""
    rows = [
        account(id=org.create("Account", Name="A"), Name="B"),
        {"attributes": {"type": "Opportunity"}, "Id": org.deal(), "Amount": "5"},
    ]
    results = org.call("PATCH", "/composite/sobjects", {"records": rows}).json()

    assert all(result["success"] for result in results)


def test_a_collection_upserts(org):
    """Known keys change, new keys create."""
    org.deal(Referral_Identifier__c="r-1")
    base = {"attributes": {"type": "Opportunity"}, "Name": "N"}
    new = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
    rows = [
        {**base, "Referral_Identifier__c": "r-1"},
        {**base, **new, "Referral_Identifier__c": "r-2"},
    ]
    path = "/composite/sobjects/Opportunity/Referral_Identifier__c"
    results = org.call("PATCH", path, {"records": rows}).json()

    assert [result["created"] for result in results] == [False, True]


def test_an_upsert_by_an_empty_id_creates(org):
    """As recorded from a real org: Id null inserts."""
    body = {"records": [account(Id=None, Name="A")]}
    [result] = org.call("PATCH", "/composite/sobjects/Account/Id", body).json()

    assert (result["success"], result["created"]) == (True, True)


def test_a_collection_deletes(org):
    """Rows are deleted by their ids."""
    keys = ",".join(org.create("Account", Name=name) for name in "AB")
    org.call("DELETE", f"/composite/sobjects?ids={keys}")

    assert org.query("SELECT Id FROM Account") == []


def test_a_collection_reads(org):
    """Rows are read by their ids; what is not there is null."""
    key = org.create("Account", Name="A")
    body = {"ids": [key, "001Kx0000009999"], "fields": ["Name"]}
    [found, missing] = org.call("POST", "/composite/sobjects/Account", body).json()

    assert (found["Name"], missing) == ("A", None)


def test_a_collection_holds_two_hundred(org):
    """More rows are refused as a whole."""
    rows = [account(Name="A")] * 201
    reply = org.call("POST", "/composite/sobjects", {"records": rows})

    assert (reply.status_code, org.query("SELECT Id FROM Account")) == (400, [])


def test_a_batch_halts_when_told_to(org):
    """After a failure the rest is not done."""
    parts = [
        {"method": "GET", "url": "v68.0/sobjects/Nothing"},
        {"method": "GET", "url": "v68.0/limits"},
    ]
    body = org.call("POST", "/composite/batch", {"haltOnError": True, "batchRequests": parts})

    assert [result["statusCode"] for result in body.json()["results"]] == [404, 412]


def test_a_tree_grows_with_its_branches(org):
    """Children are made below their parents."""
    contact = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "Doe"}
    root = {
        "attributes": {"type": "Account", "referenceId": "a"},
        "Name": "Acme",
        "Contacts": {"records": [contact]},
    }
    org.call("POST", "/composite/tree/Account", {"records": [root]})
    [found] = org.query("SELECT Account.Name FROM Contact")

    assert found["Account"]["Name"] == "Acme"


def test_a_tree_with_a_bad_branch_is_not_planted(org):
    """A tree is all or nothing."""
    contact = {"attributes": {"type": "Contact", "referenceId": "c"}}
    root = {
        "attributes": {"type": "Account", "referenceId": "a"},
        "Name": "Acme",
        "Contacts": {"records": [contact]},
    }
    reply = org.call("POST", "/composite/tree/Account", {"records": [root]})
    told = (reply.status_code, reply.json()["results"][0]["referenceId"])

    assert (*told, org.query("SELECT Id FROM Account")) == (400, "c", [])


def test_each_graph_stands_alone(org):
    """A failing graph leaves the others."""
    graphs = [
        {
            "graphId": name,
            "compositeRequest": [part("a", "POST", "/sobjects/Account", body)],
        }
        for name, body in (("good", {"Name": "A"}), ("bad", {}))
    ]
    body = org.call("POST", "/composite/graph", {"graphs": graphs}).json()

    assert [graph["isSuccessful"] for graph in body["graphs"]] == [True, False]


def test_the_first_failure_ends_a_composite(org):
    """Of all or none, the first part that fails says why; those after it were not tried."""
    part = {"method": "POST", "url": "/services/data/v68.0/sobjects/Account"}
    parts = [
        {**part, "referenceId": name, "body": body}
        for name, body in (("a", {"Name": "A"}), ("b", {}), ("c", {"Nope": 1}))
    ]
    reply = org.call("POST", "/composite", {"allOrNone": True, "compositeRequest": parts}).json()

    assert [one["body"][0]["errorCode"] for one in reply["compositeResponse"]] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
        "PROCESSING_HALTED",
    ]


def chain(length):
    """A graph in which each account is the parent of the next."""
    url = "/services/data/v68.0/sobjects/Account"
    parts = [
        {
            "method": "POST",
            "url": url,
            "referenceId": f"a{n}",
            "body": {"Name": "x", **({"ParentId": f"@{{a{n - 1}.id}}"} if n else {})},
        }
        for n in range(length)
    ]
    return {"graphs": [{"graphId": "g", "compositeRequest": parts}]}


@pytest.mark.parametrize(("length", "status"), [(15, 200), (16, 400)])
def test_a_graph_is_fifteen_deep(org, length, status):
    """A longer chain of references is refused before anything is done."""
    assert org.call("POST", "/composite/graph", chain(length)).status_code == status


def test_graphs_do_fifteen_different_things(org):
    """Methods and objects together make a kind of node, over all graphs of a call."""
    names = ["Account", "Contact", "Lead", "Opportunity", "Task", "Note", "Group", "UserRole"]
    parts = [
        {
            "method": method,
            "url": f"/services/data/v68.0/sobjects/{name}/000000000000000AAA",
            "referenceId": f"{method}{name}",
        }
        for name in names
        for method in ("GET", "DELETE")
    ]
    graphs = [{"graphId": part["referenceId"], "compositeRequest": [part]} for part in parts]

    assert org.code(org.call("POST", "/composite/graph", {"graphs": graphs})) == (
        400,
        "LIMIT_EXCEEDED",
    )
