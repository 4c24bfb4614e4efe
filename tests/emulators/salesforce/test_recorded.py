"""What a real org answered, asked again of the emulator and compared.

The recordings are not part of the repository; without them these tests are skipped.
"""

import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "salesforce"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recordings are not here")

# What the recorded org had beside the platform's own.
THEIRS = {"Primary_Contact__c", "ns__Description__c", "History__c", "ns__LinkedAccount__c"}
# What ours has: several currencies, record types, our own fields.
OURS = {"CurrencyIsoCode", "HasOptedOutOfEmail", "RecordTypeId"}


def recorded(name):
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def described(org, kind):
    return org.call("GET", f"/sobjects/{kind}/describe").json()


def fields(document):
    found = {field["name"]: field for field in document["fields"]}
    return {
        name: {
            **field,
            "picklistValues": [value["value"] for value in field["picklistValues"]],
        }
        for name, field in found.items()
        if name not in THEIRS
    }


KINDS = ["Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole"]


@pytest.mark.parametrize("kind", KINDS)
def test_fields_are_described_as_recorded(org, kind):
    """Every field of a real org is there, and every property of it is the same."""
    real, ours = fields(recorded(f"describe_{kind}")), fields(described(org, kind))
    # Ours has other record types than theirs.
    real.pop("RecordTypeId", None)

    different = {
        (name, key, str(value), str(ours.get(name, {}).get(key, "not there")))
        for name, field in real.items()
        for key, value in field.items()
        if ours.get(name, {}).get(key, "not there") != value
    }

    assert different == set()


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_is_invented(org, kind):
    """Beside what the recorded org has there are only fields this org is known for."""
    real, ours = fields(recorded(f"describe_{kind}")), fields(described(org, kind))

    extra = {name for name in ours if name not in real and not name.endswith("__c")}

    assert extra <= OURS


@pytest.mark.parametrize("kind", KINDS)
def test_objects_are_described_as_recorded(org, kind):
    """What a description says beside the fields is the same too."""
    real, ours = recorded(f"describe_{kind}"), described(org, kind)
    skipped = ("fields", "childRelationships", "recordTypeInfos", "urls")

    different = {
        (key, str(value), str(ours.get(key)))
        for key, value in real.items()
        if key not in skipped and ours.get(key) != value
    }

    assert different == set()


@pytest.mark.parametrize("kind", KINDS)
def test_children_are_as_recorded(org, kind):
    """Children are found by the same names, and go with their parents where they do."""
    real, ours = recorded(f"describe_{kind}"), described(org, kind)
    kinds = {found["name"] for found in org.call("GET", "/sobjects").json()["sobjects"]}

    def children(document):
        return {
            (child["childSObject"], child["field"]): (
                child["relationshipName"],
                child["cascadeDelete"],
            )
            for child in document["childRelationships"]
            if child["childSObject"] in kinds
            and not child["field"].endswith(("ById", "__c", "MasterRecordId"))
        }

    wanted, found = children(real), children(ours)

    assert {key: found.get(key) for key in wanted} == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_a_sobject_is_listed_as_recorded(org, kind):
    """The list of objects says of each what it said there."""
    real = {one["name"]: one for one in recorded("describe_global")["sobjects"]}[kind]
    ours = {one["name"]: one for one in org.call("GET", "/sobjects").json()["sobjects"]}[kind]
    # Some of what was recorded was cut away: it is empty there.
    plain = {key: value for key, value in real.items() if key != "urls" and value is not None}
    plain |= {"associateEntityType": None, "associateParentEntity": None}

    assert {key: ours.get(key) for key in plain} == plain


def paths(document, at=""):
    """List where values lie in a document, whatever they are."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from paths(value, f"{at}/{key}")
    elif isinstance(document, list):
        for value in document:
            yield from paths(value, f"{at}/*")
    else:
        yield f"{at} {type(document).__name__}"


def replayed(org, exchange):
    """Send a recorded request to the emulator."""
    asked = exchange["request"]
    path = asked["uri"].partition("/services/data/vxx.0")[2]
    body = asked["body"]
    if body is not None:
        body = json.loads(json.dumps(body).replace("/vxx.0/", "/v68.0/"))
    return org.call(asked["method"], path, body)


@pytest.mark.parametrize(
    ("name", "number"),
    [("collections_simple_upsert", n) for n in range(7)]
    + [("collections_upsert", n) for n in range(12)],
)
def test_recorded_upserts_give_the_same(org, name, number):
    """Replayed in order, every exchange has the recorded status, shape, successes and counts."""
    exchanges = recorded(name)
    for exchange in exchanges[:number]:
        replayed(org, renamed(org, exchange))
    exchange = exchanges[number]
    real = exchange["response"]

    reply = replayed(org, renamed(org, exchange))
    body = reply.json()
    if "/recordCount" in exchange["request"]["uri"]:
        # Counts are told from time to time there: some were not told at all.
        real["body"] = body

    assert (
        reply.status_code,
        outcome(body),
        reply.headers["content-type"],
    ) == (
        real["status"]["code"],
        outcome(real["body"]),
        real["headers"]["Content-Type"][0],
    )


def outcome(body):
    """What must be equal: what happened to each row, or the shape of the answer."""
    if isinstance(body, list) and body and "success" in body[0]:
        return [
            (row["success"], row.get("created"), len(row.get("id") or ""), row["errors"])
            for row in body
        ]
    return sorted(set(paths(body)))


def renamed(org, exchange):
    """Put ids of this org in the place of those of the recorded one."""
    text = json.dumps(exchange["request"])
    for kind, prefix in (("Account", "001"), ("Contact", "003")):
        rows = org.query(f"SELECT Id FROM {kind} ORDER BY CreatedDate, Id")
        ids = [row["Id"] for row in rows]
        seen = dict.fromkeys(
            part for part in text.split('"') if part.startswith(prefix) and len(part) == 18
        )
        for old, new in zip(seen, ids, strict=False):
            text = text.replace(old, new)
    return {**exchange, "request": json.loads(text)}


def test_recorded_updates_give_the_same(org):
    """A recorded update of accounts, numbers written as text, succeeds row by row."""
    count, listing, update = recorded("collections_update")
    for place in range(6):
        org.create("Account", Name=f"Account {place}")
    wanted = update["response"]["body"]
    keys = [row["Id"] for row in org.query("SELECT Id FROM Account ORDER BY Name")]
    text = json.dumps(update["request"])
    for old, new in zip([row["id"] for row in wanted], keys, strict=True):
        text = text.replace(old, new)

    reply = replayed(org, {"request": json.loads(text)})
    rows = org.query("SELECT NumberOfEmployees FROM Account")

    assert (
        outcome(reply.json()),
        {row["NumberOfEmployees"] for row in rows},
        sorted(set(paths(replayed(org, listing).json()))),
        sorted(set(paths(replayed(org, count).json()))),
    ) == (
        outcome(wanted),
        {10000},
        sorted(set(paths(listing["response"]["body"]))),
        sorted(set(paths(count["response"]["body"]))),
    )


@pytest.mark.parametrize("name", ["composite_errors", "composite_invalid_type"])
def test_recorded_composites_give_the_same(org, name):
    """Refusals inside a composite read word for word as recorded."""
    for exchange in recorded(name):
        reply = replayed(org, exchange)
        real = exchange["response"]["body"]["compositeResponse"]
        ours = reply.json()["compositeResponse"]
        for one in (*real, *ours):
            if "totalSize" in one["body"]:
                one["body"]["totalSize"] = "any"

        assert ours == real


def test_recorded_queries_give_the_same(org):
    """Two queries in a composite are answered as recorded, in an org as empty as that one."""
    for exchange in recorded("composite_queries"):
        assert replayed(org, exchange).json() == exchange["response"]["body"]


def test_the_organization_is_as_recorded(org):
    """A row of the organization has no field less than the recorded one that clients read."""
    real = recorded("sobject_Organization")
    key = org.query("SELECT Id FROM Organization")[0]["Id"]
    ours = org.read("Organization", key)
    wanted = ("Name", "OrganizationType", "InstanceName", "IsSandbox", "NamespacePrefix")

    assert ([name for name in wanted if name not in ours], set(real) - set(ours)) == ([], set())


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("restforce_sobject_describe_error_response", "/sobjects/Whizbang/describe"),
        ("restforce_upsert_error_response", "/sobjects/Account/Namez/1"),
        ("restforce_search_error_response", "/search?q=FIND+nothing"),
    ],
)
def test_fixture_errors_read_the_same(org, name, path):
    """Errors real clients are tested with read the same here."""
    assert org.call("GET", path).json() == recorded(name)


def test_an_unknown_column_reads_as_in_the_fixture(org):
    """The sentence about an unknown column is the one clients know."""
    reply = org.call("POST", "/sobjects/Account", {"foo": 1})
    text = json.dumps(recorded("restforce_write_error_response")).replace("Bar", "Account")

    assert reply.json() == json.loads(text)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("restforce_query_empty_response", "SELECT Id FROM Account WHERE Name = 'nobody'"),
        (
            "restforce_query_aggregate_success_response",
            "SELECT CampaignId, SUM(Amount) FROM Opportunity GROUP BY CampaignId",
        ),
    ],
)
def test_fixture_answers_have_the_same_shape(org, name, query):
    """Answers real clients are tested with have the shape they have here."""
    org.deal(Amount=1)
    ours = org.call("GET", "/query", params={"q": query}).json()

    def keys(document):
        return {path.partition(" ")[0] for path in paths(document)}

    assert keys(ours) == keys(recorded(name))


def test_changes_have_the_shape_of_the_fixtures(org):
    """Updated and deleted rows are told as real clients expect."""
    org.call("DELETE", f"/sobjects/Account/{org.create('Account', Name='x')}")
    org.create("Account", Name="y")
    org.control("clock", advance_s=120)
    span = {"start": "2026-11-20T00:00:00+00:00", "end": "2099-01-01T00:00:00+00:00"}
    start = org.emulator.clock.now().replace(microsecond=0)
    span["start"] = start.replace(hour=0, minute=0, second=0).isoformat()
    updated = org.call("GET", "/sobjects/Account/updated", params=span).json()
    deleted = org.call("GET", "/sobjects/Account/deleted", params=span).json()

    assert (sorted(set(paths(updated))), sorted(set(paths(deleted)))) == (
        sorted(set(paths(recorded("restforce_get_updated_success_response")))),
        sorted(set(paths(recorded("restforce_get_deleted_success_response")))),
    )
