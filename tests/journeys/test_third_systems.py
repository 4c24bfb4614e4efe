"""Systems that are reached by a page of YAML alone: Dynamics 365 and SugarCRM.

Each is a small server that answers in the shapes the vendor documents.
https://learn.microsoft.com/en-us/power-apps/developer/data-platform/webapi/query/page-results
https://support.sugarcrm.com/documentation/sugar_developer/sugar_developer_guide_14.0/integration/web_services/rest_api/
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.parsing import load
from cosell_env.connections import Connection
from cosell_flows.running.opening import open_engine
from cosell_flows.running.outcomes import RunResult

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]


def _module(name: str) -> ModuleType:
    """A module that lies beside this one; tests are no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


scripting = _module("scripted")
Asked, Told = scripting.Asked, scripting.Told
Answer = Callable[[Any], Any]
Serving = Callable[[Answer], Any]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Serve a script until the test ends."""
    opened: list[AbstractContextManager[Any]] = []

    def serve(answer: Answer) -> Any:
        context = scripting.scripted(answer)
        opened.append(context)
        return context.__enter__()

    yield serve
    for one in opened:
        one.__exit__(None, None, None)


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[Callable[..., tuple[Client, Any]]]:
    """A client of a shipped connector, whose other side answers from a script."""
    clients: list[Client] = []

    def make(name: str, answer: Answer, **settings: str) -> tuple[Client, Any]:
        server = serving(answer)
        known = {
            "base_url": server.url,
            "client_id": "sugar" if name == "sugarcrm" else "app",
            **(
                {"token_url": f"{server.url}/acme/oauth2/v2.0/token"} if name == "dataverse" else {}
            ),
            "client_secret": "s3cret",
            "tenant": "acme",
            "username": "sync",
            "password": "p4ss",
            **settings,
        }
        made = Client(
            load(ROOT / "connectors" / name / "connector.yaml"),
            Connection(name=name, connector=name, settings=known),
        )
        clients.append(made)
        return made, server

    yield make
    for one in clients:
        await one.aclose()


# -- Dynamics 365 ------------------------------------------------------------------------------

ACCOUNT = {
    "@odata.etag": 'W/"72201545"',
    "accountid": "8c9b5a0e-d01c-ed11-b83e-000d3a572421",
    "name": "Fourth Coffee (sample)",
    "accountnumber": "A-17",
    "modifiedon": "2026-11-20T09:15:00Z",
}
OTHER = {
    **ACCOUNT,
    "accountid": "929b5a0e-d01c-ed11-b83e-000d3a572421",
    "modifiedon": "2026-11-21T10:00:00Z",
}
TOKEN = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": "eyJ0"}


def dynamics(answers: dict[tuple[str, str], Any]) -> Answer:
    def answer(asked: Any) -> Any:
        if asked.path.endswith("/token"):
            return Told(body=TOKEN)
        found = answers[asked.method, asked.path]
        return found(asked) if callable(found) else found

    return answer


def refused(status: int, code: str, message: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Told(status=status, body={"error": {"code": code, "message": message}}, headers=named)


async def test_dynamics_is_signed_in_to_for_its_own_address(client: Any) -> None:
    """The scope is the organisation's, whatever its address is."""
    asking, server = client(
        "dataverse", dynamics({("GET", "/api/data/v9.2/WhoAmI"): Told(body={})})
    )

    await asking.call("who_am_i", {})

    token, call = server.asked
    assert token.body == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": "s3cret",
        "scope": f"{server.url}/.default",
    }
    assert (call.headers["authorization"], call.headers["odata-version"]) == ("Bearer eyJ0", "4.0")


async def test_dynamics_pages_are_followed(client: Any) -> None:
    """The link with its cookie leads to the next page; the last page has none."""
    path = "/api/data/v9.2/accounts"

    def accounts(asked: Any) -> Any:
        if "$skiptoken" in asked.query:
            return Told(body={"value": [OTHER]})
        cookie = "%3Ccookie%20pagenumber=%222%22%20/%3E"
        link = f"http://elsewhere.example{path}?$orderby=modifiedon%20asc&$skiptoken={cookie}"
        return Told(body={"value": [ACCOUNT], "@odata.nextLink": link})

    asking, server = client("dataverse", dynamics({("GET", path): accounts}))

    found = await asking.collect("list_changed_accounts", {"since": "2026-11-20T00:00:00Z"})

    first, second = server.calls("GET", path)
    assert found == {"accounts": [ACCOUNT, OTHER], "read_until": "2026-11-21T10:00:00Z"}
    assert first.query["$filter"] == "modifiedon ge 2026-11-20T00:00:00Z"
    assert second.query["$skiptoken"] == '<cookie pagenumber="2" />'
    assert {one.headers["prefer"] for one in (first, second)} == {"odata.maxpagesize=500"}


async def test_dynamics_accounts_are_made_by_an_alternate_key(client: Any) -> None:
    """A quote in the key is doubled, as OData wants it, and the answer is the row."""
    path = "/api/data/v9.2/accounts(accountnumber='O''Hare%2F1')"
    asking, server = client(
        "dataverse", dynamics({("PATCH", path): Told(status=201, body=ACCOUNT)})
    )

    reply = await asking.call(
        "upsert_account",
        {"key_column": "accountnumber", "key": "O'Hare/1", "columns": {"name": "O'Hare"}},
    )

    call = server.asked[-1]
    assert (reply.body, call.body) == (ACCOUNT, {"name": "O'Hare"})
    assert call.headers["prefer"] == "return=representation"


async def test_dynamics_tells_that_a_row_moved(client: Any) -> None:
    """The etag last read travels, quotes and all; 412 is a conflict."""
    path = f"/api/data/v9.2/accounts({ACCOUNT['accountid']})"
    moved = "The version of the existing record doesn't match the RowVersion property provided."
    asking, server = client(
        "dataverse", dynamics({("PATCH", path): refused(412, "0x80060882", moved)})
    )

    with pytest.raises(ConnectorError) as caught:
        await asking.call(
            "update_account",
            {"id": ACCOUNT["accountid"], "columns": {}, "if_match": ACCOUNT["@odata.etag"]},
        )

    error = caught.value
    assert (error.error_class, error.code, error.message) == ("conflict", "0x80060882", moved)
    assert server.asked[-1].headers["if-match"] == 'W/"72201545"'


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            refused(429, "0x80072322", "Number of requests exceeded", Retry_After="9"),
            "rate_limited",
        ),
        (refused(404, "0x80040217", "account With Id = 1 Does Not Exist"), "not_found"),
        (refused(403, "0x80040220", "Principal user is missing prvReadAccount"), "forbidden"),
        (refused(412, "0x80040237", "A record with matching key values exists"), "conflict"),
        (refused(400, "0x80048408", "Validation"), "invalid"),
        (Told(status=401), "unauthorized"),
        (Told(status=503, body="<html><title>Service Unavailable</title>"), "unavailable"),
    ],
)
async def test_dynamics_errors_have_their_class(client: Any, told: Any, expected: str) -> None:
    """The documented codes come to the classes that flows name."""
    asking, _ = client("dataverse", dynamics({("GET", "/api/data/v9.2/WhoAmI"): told}))

    with pytest.raises(ConnectorError) as caught:
        await asking.call("who_am_i", {})

    assert caught.value.error_class == expected


async def test_a_dynamics_task_is_completed(client: Any) -> None:
    """State and reason change together, and a task that is gone is not made anew."""
    task = "12345678-d01c-ed11-b83e-000d3a572421"
    asking, server = client(
        "dataverse", dynamics({("PATCH", f"/api/data/v9.2/tasks({task})"): Told(status=204)})
    )

    await asking.call("complete_task", {"id": task})

    call = server.asked[-1]
    assert (call.body, call.headers["if-match"]) == ({"statecode": 1, "statuscode": 5}, "*")


async def test_a_connection_without_a_tenant_says_so(client: Any) -> None:
    """What every connection must set is asked for by name."""
    asking, _ = client("dataverse", dynamics({}), tenant="", token_url="")

    with pytest.raises(ConnectorError, match="connection dataverse has no tenant"):
        await asking.call("who_am_i", {})


# -- SugarCRM ----------------------------------------------------------------------------------

SUGAR_TOKEN = {
    "access_token": "802b64c0-5eac-8431-a541-5342d38ac527",
    "expires_in": 3600,
    "token_type": "bearer",
    "scope": None,
    "refresh_token": "85053198-24b1-4521-b1a1-5342d382e0b7",
    "refresh_expires_in": 1209600,
    "download_token": "8c9b5461-0d95-8d87-6cb8-5342d357b39e",
}


def sugar(answer: Answer) -> Answer:
    def told(asked: Any) -> Any:
        if asked.path == "/rest/v11/oauth2/token":
            return Told(body=SUGAR_TOKEN)
        return answer(asked)

    return told


def record(number: int) -> dict[str, Any]:
    return {
        "id": f"f222265b-b755-e518-a2ce-00000000000{number}",
        "date_modified": f"2026-11-2{number}T10:00:00+00:00",
        "name": f"Account {number}",
        "phone_office": f"+4733000{number}",
        "website": "",
        "billing_address_country": "NO",
        "_acl": {"fields": {}},
        "_module": "Accounts",
    }


async def test_sugar_is_signed_in_to_as_documented(client: Any) -> None:
    """In JSON, with a platform of our own; the token goes into Sugar's own header."""
    asking, server = client("sugarcrm", sugar(lambda _: Told(body={})))

    await asking.call("who_am_i", {})

    token, call = server.asked
    assert token.body == {
        "grant_type": "password",
        "username": "sync",
        "password": "p4ss",
        "client_id": "sugar",
        "client_secret": "s3cret",
        "platform": "cosell",
    }
    assert call.headers["oauth-token"] == SUGAR_TOKEN["access_token"]


async def test_sugar_pages_are_counted_by_offset(client: Any) -> None:
    """next_offset is sent back as offset, until it is -1."""

    def answer(asked: Any) -> Any:
        offset = int(asked.query.get("offset", 0))
        return Told(
            body={"next_offset": offset + 2 if offset < 4 else -1, "records": [record(offset)]}
        )

    asking, server = client("sugarcrm", sugar(answer))

    found = await asking.collect(
        "list_changed", {"module": "Accounts", "since": "2026-11-20T00:00:00Z"}
    )

    calls = server.calls("GET", "/rest/v11/Accounts")
    assert [one["name"] for one in found["records"]] == ["Account 0", "Account 2", "Account 4"]
    assert [one.query.get("offset") for one in calls] == [None, "2", "4"]
    assert {one.query["filter[0][date_modified][$gte]"] for one in calls} == {
        "2026-11-20T00:00:00Z"
    }


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, "not_found", "not_found"),
        (403, "not_authorized", "forbidden"),
        (409, "edit_conflict", "conflict"),
        (413, "request_too_large", "too_large"),
        (422, "missing_parameter", "invalid"),
        (401, "need_login", "unauthorized"),
        (503, "maintenance", "unavailable"),
    ],
)
async def test_sugar_errors_have_their_class(
    client: Any, status: int, code: str, expected: str
) -> None:
    """The documented codes come to the classes that flows name, with Sugar's own message."""
    told = Told(status=status, body={"error": code, "error_message": "as Sugar says it"})
    asking, _ = client("sugarcrm", sugar(lambda _: told))

    with pytest.raises(ConnectorError) as caught:
        await asking.call("get_record", {"module": "Accounts", "id": "1"})

    error = caught.value
    assert (error.error_class, error.code, error.message) == (expected, code, "as Sugar says it")


async def test_sugar_renews_with_the_refresh_token_after_a_401(client: Any) -> None:
    """The password is sent once."""
    expired = {"error": "invalid_grant", "error_message": "The access token provided is invalid."}
    answers = [Told(status=401, body=expired), Told(body={})]
    asking, server = client("sugarcrm", sugar(lambda _: answers.pop(0)))

    await asking.call("who_am_i", {})

    grants = [one.body["grant_type"] for one in server.asked if one.path.endswith("token")]
    assert grants == ["password", "refresh_token"]


# -- The example flows -------------------------------------------------------------------------


async def run_example(stage: Any, monkeypatch: Any, name: str, flow: str, **env: str) -> RunResult:
    """Copy an example into a project, as its first line says, and run it."""
    target = stage.project / "definitions" / "examples"
    target.mkdir()
    shutil.copy(stage.project / "connectors" / name / f"{flow}.flow.yaml", target)
    for key, value in env.items():
        monkeypatch.setenv(f"COSELL_CONNECTION_{name.upper()}_{key}", value)
    engine = await open_engine(stage.project, "sandbox")
    try:
        return await engine.run(flow, {})
    finally:
        await engine.aclose()


async def test_activities_of_dynamics_reach_salesforce(
    stage: Any, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example flow: a completed activity becomes a completed task of the account, once."""
    account = stage.seller.make("Account", Name="Fourth Coffee (sample)")
    activity = {
        "activityid": "7d5b5a0e-d01c-ed11-b83e-000d3a572421",
        "subject": "Showed the O'Hare plan",
        "description": None,
        "activitytypecode": "appointment",
        "actualend": "2026-11-21T11:00:00Z",
        "modifiedon": "2026-11-21T11:05:00Z",
        "regardingobjectid_account": {"name": ACCOUNT["name"]},
    }
    strange = {**activity, "activityid": "x", "regardingobjectid_account": None}
    path = "/api/data/v9.2/activitypointers"
    server = serving(dynamics({("GET", path): Told(body={"value": [activity, strange]})}))

    result = await run_example(
        stage,
        monkeypatch,
        "dataverse",
        "activities-from-dynamics",
        BASE_URL=server.url,
        TOKEN_URL=f"{server.url}/t/oauth2/v2.0/token",
        TENANT="t",
        CLIENT_ID="app",
        CLIENT_SECRET="s3cret",
    )

    tasks = stage.seller.find(
        f"SELECT Subject, Status, ActivityDate FROM Task WHERE WhatId = '{account}'"
    )
    assert result.status == "succeeded", result.error
    told = [(one["Subject"], one["Status"], one["ActivityDate"]) for one in tasks]
    assert told == [("Showed the O'Hare plan", "Completed", "2026-11-21")]


async def test_accounts_of_sugar_reach_salesforce(
    stage: Any, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example flow: one account is made, and another gets its new telephone number."""
    known = stage.seller.make("Account", Name="Account 1", Phone="+1")
    told = Told(body={"next_offset": -1, "records": [record(1), record(2)]})
    server = serving(sugar(lambda _: told))

    result = await run_example(
        stage,
        monkeypatch,
        "sugarcrm",
        "accounts-from-sugarcrm",
        BASE_URL=server.url,
        CLIENT_ID="sugar",
        USERNAME="sync",
        PASSWORD="p4ss",
    )

    made = stage.seller.find("SELECT Phone, BillingCountry FROM Account WHERE Name = 'Account 2'")
    assert result.status == "succeeded", result.error
    assert [(one["Phone"], one["BillingCountry"]) for one in made] == [("+47330002", "NO")]
    assert stage.seller.see("Account", known)["Phone"] == "+47330001"
