"""Bulk API 2.0."""

import pytest

CSV = {"Content-Type": "text/csv"}


def load(org, content, **job):
    key = org.call("POST", "/jobs/ingest", job).json()["id"]
    org.call("PUT", f"/jobs/ingest/{key}/batches", content, headers=CSV)
    org.call("PATCH", f"/jobs/ingest/{key}", {"state": "UploadComplete"})
    return org.call("GET", f"/jobs/ingest/{key}").json()


def results(org, job, which):
    return org.call("GET", f"/jobs/ingest/{job['id']}/{which}").text.splitlines()


def query_job(org, text, **more):
    key = org.call("POST", "/jobs/query", {"operation": "query", "query": text, **more}).json()[
        "id"
    ]
    org.call("GET", f"/jobs/query/{key}")
    return key


def test_rows_are_loaded_one_by_one(org):
    """A bad row does not keep the good ones out."""
    content = "Name,NumberOfEmployees\nA,5\nB,many\n"
    job = load(org, content, object="Account", operation="insert")

    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (
        "JobComplete",
        2,
        1,
    )


def test_results_say_what_became_of_a_row(org):
    """Results repeat the row behind its id."""
    job = load(org, "Name\nA\n", object="Account", operation="insert")
    key = org.query("SELECT Id FROM Account")[0]["Id"]

    assert results(org, job, "successfulResults") == [
        '"sf__Id","sf__Created","Name"',
        f'"{key}","true","A"',
    ]


def test_failures_say_why(org):
    """A failed row carries its code."""
    job = load(org, "Phone\n1\n", object="Account", operation="insert")

    assert "REQUIRED_FIELD_MISSING" in results(org, job, "failedResults")[1]


def test_an_unknown_column_fails_the_job(org):
    """A heading that is no field fails everything."""
    job = load(org, "Nonsense\n1\n", object="Account", operation="insert")

    assert job["state"] == "Failed"


@pytest.mark.parametrize(("cell", "left"), [("", "1"), ("#N/A", None)])
def test_an_empty_cell_leaves_a_field_alone(org, cell, left):
    """Only #N/A empties a field."""
    key = org.create("Account", Name="A", Phone="1")
    load(org, f"Id,Phone\n{key},{cell}\n", object="Account", operation="update")

    assert org.read("Account", key)["Phone"] == left


def test_an_upsert_goes_by_its_key(org):
    """Known keys change, new keys create."""
    org.deal(Referral_Identifier__c="r-1")
    content = (
        "Referral_Identifier__c;Name;StageName;CloseDate\r\n"
        "r-1;One;Prospecting;2026-12-31\r\nr-2;Two;Prospecting;2026-12-31\r\n"
    )
    more = {"externalIdFieldName": "Referral_Identifier__c", "columnDelimiter": "SEMICOLON"}
    load(org, content, object="Opportunity", operation="upsert", lineEnding="CRLF", **more)

    assert sorted(org.names("SELECT Name FROM Opportunity")) == ["One", "Two"]


def test_rows_are_deleted_in_bulk(org):
    """A delete needs ids alone."""
    key = org.create("Account", Name="A")
    load(org, f"Id\n{key}\n", object="Account", operation="delete")

    assert org.query("SELECT Id FROM Account") == []


def test_a_rule_may_run_over_loaded_leads(org):
    """A job may name the assignment rule that routes its leads."""
    rule = org.query("SELECT Id FROM AssignmentRule")[0]["Id"]
    owner = org.query("SELECT Id FROM Group WHERE Name = 'Nordic Leads'")[0]["Id"]
    org.control("org", assignment_entries=[{"fits": {"Country": "DK"}, "owner": owner}])
    job = {"object": "Lead", "operation": "insert", "assignmentRuleId": rule}
    load(org, "LastName,Company,Country\nDoe,Acme,DK\n", **job)

    assert org.query("SELECT OwnerId FROM Lead")[0]["OwnerId"] == owner


def test_a_job_takes_one_upload(org):
    """A second upload is refused."""
    job = {"object": "Account", "operation": "insert"}
    key = org.call("POST", "/jobs/ingest", job).json()["id"]
    for _ in range(2):
        reply = org.call("PUT", f"/jobs/ingest/{key}/batches", "Name\nA\n", headers=CSV)

    assert org.code(reply) == (400, "INVALIDJOBSTATE")


def test_a_query_is_answered_in_pages(org):
    """A page names the next one; the last says null."""
    for name in "ABC":
        org.create("Account", Name=name)
    key = query_job(org, "SELECT Name FROM Account ORDER BY Name")
    first = org.call("GET", f"/jobs/query/{key}/results?maxRecords=2")
    locator = first.headers["Sforce-Locator"]
    last = org.call("GET", f"/jobs/query/{key}/results?maxRecords=2&locator={locator}")

    assert (first.text, last.text, last.headers["Sforce-Locator"]) == (
        '"Name"\n"A"\n"B"\n',
        '"Name"\n"C"\n',
        "null",
    )


def test_a_parents_field_is_a_column(org):
    """Parents are flattened."""
    org.deal(AccountId=org.create("Account", Name="Acme"), IsPrivate=True)
    key = query_job(org, "SELECT Account.Name, IsPrivate, Amount FROM Opportunity")

    assert org.call("GET", f"/jobs/query/{key}/results").text.splitlines() == [
        '"Account.Name","IsPrivate","Amount"',
        '"Acme","true",""',
    ]


def test_a_wrong_query_is_refused_at_once(org):
    """A job for a query nobody can run is not made."""
    body = {"operation": "query", "query": "SELECT Foo FROM Account"}

    assert org.code(org.call("POST", "/jobs/query", body)) == (400, "INVALID_FIELD")


def test_an_ended_job_can_be_removed(org):
    """A removed job is gone."""
    job = load(org, "Name\nA\n", object="Account", operation="insert")
    org.call("DELETE", f"/jobs/ingest/{job['id']}")

    assert org.call("GET", f"/jobs/ingest/{job['id']}").status_code == 404


def test_a_cell_longer_than_any_field_fails_the_job(org):
    """CSV that cannot be read fails the job as a whole, with a reason."""
    job = org.call("POST", "/jobs/ingest", {"object": "Lead", "operation": "insert"}).json()
    path = f"/jobs/ingest/{job['id']}"
    content = b"LastName\n" + b"x" * 200_000
    headers = {"Content-Type": "text/csv"}
    org.http.request("PUT", f"/services/data/v68.0{path}/batches", content=content, headers=headers)
    org.call("PATCH", path, {"state": "UploadComplete"})
    done = org.call("GET", path).json()

    assert (done["state"], done["errorMessage"].partition(" :")[0]) == ("Failed", "InvalidBatch")


@pytest.mark.parametrize(
    "said", [{"contentType": "JSON"}, {"columnDelimiter": "SPACE"}, {"lineEnding": "CR"}]
)
def test_only_tables_are_loaded(org, said):
    """A job of any other form of content is not made."""
    body = {"object": "Account", "operation": "insert", **said}

    assert org.code(org.call("POST", "/jobs/ingest", body)) == (400, "INVALIDJOB")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT(Id) FROM Account",
        "SELECT COUNT() FROM Account",
        "SELECT Name FROM Account GROUP BY Name",
        "SELECT Id FROM Account LIMIT 5 OFFSET 1",
        "SELECT TYPEOF Owner WHEN User THEN Name END FROM Lead",
    ],
)
def test_a_query_job_reads_plain_rows_only(org, text):
    """What a query can group, count or skip, a job of a query cannot."""
    body = {"operation": "query", "query": text}

    assert org.code(org.call("POST", "/jobs/query", body)) == (400, "API_ERROR")
