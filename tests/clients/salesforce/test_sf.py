"""The official sf command works with the emulator as with an org.

It is large and slow to get: it runs where it lies in the cache already, or with COSELL_TEST_SF=1.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("salesforce-clients"), pytest.mark.long]

Sf = Callable[..., Any]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the command a home of its own: it keeps who is logged in there."""
    return tmp_path_factory.mktemp("sf")


@pytest.fixture
def sf(sf_command: list[str], org: Any, home: Path) -> Sf:
    """Run the command, and give what it says of its result."""
    environment = {
        "PATH": f"{Path(sf_command[0]).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "CI": "1",
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_DISABLE_LOG_FILE": "true",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_ORG_INSTANCE_URL": org.url,
        "SF_SKIP_NEW_VERSION_CHECK": "true",
        "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    }

    def run(*words: str, fails: bool = False, **more: str) -> Any:
        done = subprocess.run(
            [*sf_command, *words, "--json"],
            cwd=home,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.stdout, done.stderr
        answer = json.loads(done.stdout)
        assert (answer["status"] != 0) is fails, answer
        return answer if fails else answer["result"]

    return run


def test_a_query_without_logging_in(sf, org):
    """A token alone is enough to ask; the command asks for the columns as well."""
    found = sf("data", "query", "-o", org.token(), "-q", "SELECT Id, Name FROM Account LIMIT 3")

    assert (found["totalSize"], found["done"], len(found["records"])) == (3, True, 3)


def test_log_in_by_token(sf, org):
    """The command logs in by a token, and shows who and where."""
    done = sf(
        "org", "login", "access-token", "--instance-url", org.url, "--alias", "tok", "--no-prompt",
        SF_ACCESS_TOKEN=org.token(),
    )  # fmt: skip
    shown = sf("org", "display", "-o", "tok")

    assert done["username"] == "integration@cosell.example.com"
    assert (shown["instanceUrl"], shown["connectedStatus"]) == (f"{org.url}/", "Connected"), [
        (r["method"], r["path"], r["status"]) for r in org.look("requests")
    ]


def test_log_in_by_assertion(sf, org):
    """The command signs a web token with its odd moments, and is let in."""
    done = sf(
        "org", "login", "jwt", "--client-id", org.ready["client_id"],
        "--jwt-key-file", org.ready["jwt_key_file"], "--username", org.ready["username"],
        "--instance-url", org.url, "--alias", "jwt",
    )  # fmt: skip
    found = sf("data", "query", "-o", "jwt", "-q", "SELECT COUNT() FROM Lead")

    assert (done["username"], found["totalSize"]) == (org.ready["username"], 10)


def test_a_row_through_its_life(sf, org):
    """A row is made, read, changed and deleted from the command line."""
    to = ("-o", org.token(), "-s", "Opportunity")
    values = "Name='From sf' StageName=Prospecting CloseDate=2026-12-31 Amount=12.50"
    made = sf("data", "create", "record", *to, "-v", values)
    sf("data", "update", "record", *to, "-i", made["id"], "-v", "StageName='Closed Won'")
    read = sf("data", "get", "record", *to, "-i", made["id"])
    sf("data", "delete", "record", *to, "-i", made["id"])
    gone = sf("data", "get", "record", *to, "-i", made["id"], fails=True)

    assert made["success"] is True
    assert (read["Name"], read["Amount"], read["IsWon"]) == ("From sf", 12.5, True)
    assert gone["name"] in ("ENTITY_IS_DELETED", "NOT_FOUND")


def test_a_refusal(sf, org):
    """A row that cannot be is refused with the platform's code."""
    told = sf(
        "data", "create", "record", "-o", org.token(), "-s", "Opportunity", "-v", "Name=x",
        fails=True,
    )  # fmt: skip

    assert told["name"] == "REQUIRED_FIELD_MISSING"


def test_a_tree(sf, org, tmp_path):
    """A tree of records, parents before children, is made in one call."""
    account = {
        "attributes": {"type": "Account", "referenceId": "a1"},
        "Name": "Tree",
        "Contacts": {
            "records": [
                {"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "Leaf"}
            ]
        },
    }
    file = tmp_path / "tree.json"
    file.write_text(json.dumps({"records": [account]}), encoding="utf-8")
    sf("data", "import", "tree", "-o", org.token(), "-f", str(file))

    found = org.query("SELECT Account.Name FROM Contact WHERE LastName = 'Leaf'")

    assert [row["Account"]["Name"] for row in found] == ["Tree"]


def test_bulk(sf, org, tmp_path):
    """CSV goes in, is merged by key, and comes out again."""
    token = org.token()
    names = "Name,StageName,CloseDate,Referral_Identifier__c"
    rows = "\n".join(f"Bulk {n},Prospecting,2026-12-31,bulk-{n}" for n in range(30))
    file = tmp_path / "in.csv"
    file.write_text(f"{names}\n{rows}\n", encoding="utf-8")
    loaded = sf(
        "data", "import", "bulk", "-o", token, "-s", "Opportunity", "-f", str(file), "--wait", "2"
    )
    again = sf(
        "data", "upsert", "bulk", "-o", token, "-s", "Opportunity", "-f", str(file),
        "-i", "Referral_Identifier__c", "--wait", "2",
    )  # fmt: skip
    out = tmp_path / "out.csv"
    sf(
        "data", "export", "bulk", "-o", token, "--output-file", str(out), "--wait", "2",
        "-q", "SELECT Name FROM Opportunity WHERE Referral_Identifier__c LIKE 'bulk-%'",
    )  # fmt: skip

    assert (loaded["processedRecords"], loaded["failedRecords"]) == (30, 0)
    assert again["jobInfo"]["numberRecordsProcessed"] == 30
    assert len(out.read_text(encoding="utf-8").strip().splitlines()) == 31


def test_what_there_is(sf, org):
    """Objects, limits and a description are shown; any other address can be asked."""
    token = org.token()
    objects = sf("sobject", "list", "-o", token)
    limits = {one["name"]: one for one in sf("org", "list", "limits", "-o", token)}
    described = sf("sobject", "describe", "-o", token, "-s", "Opportunity")

    assert "Microsoft_Solution__c" in objects
    assert limits["DailyApiRequests"]["max"] == 100_000
    assert described["keyPrefix"] == "006"


def test_queries_of_tools(sf, org):
    """The command asks the Tooling API for custom fields."""
    text = (
        "SELECT Id, DeveloperName FROM CustomField "
        "WHERE EntityDefinition.QualifiedApiName = 'Opportunity' AND DeveloperName = 'Audit'"
    )
    found = sf("data", "query", "-o", org.token(), "-t", "-q", text)

    assert [row["DeveloperName"] for row in found["records"]] == ["Audit"]
