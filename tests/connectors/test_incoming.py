"""From status, headers and body to a reply, or to the right error."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cosell_connectors.errors import ConnectorError
from cosell_connectors.incoming import Reply, read, with_row_errors
from cosell_connectors.model import Connector

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"


def answered(
    connector: Connector, status: int, body: Any = b"", headers: dict[str, str] | None = None
) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(connector.errors, status=status, headers=headers or {}, content=content, now=NOW)


def failed(connector: Connector, status: int, body: Any = b"", **headers: str) -> ConnectorError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(ConnectorError) as caught:
        answered(connector, status, body, named)
    return caught.value


def sample(path: str) -> Any:
    file = SAMPLES / path
    if not file.exists():
        pytest.skip("the vendor's samples are not here")
    return json.loads(file.read_text())


def test_a_fraction_is_a_decimal(salesforce: Connector) -> None:
    """Money arrives with exactly its digits."""
    assert answered(salesforce, 200, b'{"Amount": 10.10}').body == {"Amount": Decimal("10.10")}


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_empty_answer_is_no_body(salesforce: Connector, status: int) -> None:
    """204 and its like have nothing in them, and that is well."""
    assert answered(salesforce, status).body is None


def test_header_names_are_in_lower_case(salesforce: Connector) -> None:
    """Whoever reads a header need not guess its case."""
    reply = answered(salesforce, 200, b"{}", {"Sforce-Limit-Info": "api-usage=1/100"})

    assert reply.headers == {"sforce-limit-info": "api-usage=1/100"}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "INVALID_SESSION_ID", "unauthorized"),
        (403, "REQUEST_LIMIT_EXCEEDED", "rate_limited"),
        (400, "UNABLE_TO_LOCK_ROW", "locked"),
        (500, "UNABLE_TO_LOCK_ROW", "locked"),
        (503, "SERVER_UNAVAILABLE", "unavailable"),
        (400, "INVALID_QUERY_LOCATOR", "unavailable"),
        (400, "MALFORMED_QUERY", "invalid"),
        (400, "INVALID_FIELD", "invalid"),
        (404, "NOT_FOUND", "not_found"),
        (404, "ENTITY_IS_DELETED", "deleted"),
        (400, "DUPLICATE_VALUE", "conflict"),
        (400, "REQUIRED_FIELD_MISSING", "invalid"),
        (400, "INSUFFICIENT_ACCESS_OR_READONLY", "forbidden"),
        (403, "API_DISABLED_FOR_ORG", "forbidden"),
        (412, "PRECONDITION_FAILED", "conflict"),
        (414, "", "too_large"),
        (502, "", "unavailable"),
    ],
)
def test_salesforce_codes_have_a_class(
    salesforce: Connector, status: int, code: str, expected: str
) -> None:
    """The code decides, and where it says nothing, the status."""
    error = failed(salesforce, status, [{"message": "m", "errorCode": code}])

    assert error.error_class == expected


def test_every_recorded_salesforce_error_keeps_its_code(salesforce: Connector) -> None:
    """Whatever real orgs have answered, code and message are found in it."""
    recorded = [
        one
        for one in sample("salesforce/errors_collected.json")
        if isinstance(one.get("http"), int)
        and isinstance(one.get("body"), list)
        and isinstance(one["body"][0], dict)
    ]

    codes = [failed(salesforce, one["http"], one["body"]).code for one in recorded]

    assert codes == [one["body"][0]["errorCode"] for one in recorded]


def test_the_field_that_is_wrong_is_named(salesforce: Connector) -> None:
    """An error about a field says which."""
    body = [{"message": "m", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]}]

    assert failed(salesforce, 400, body).field == "Name"


def test_several_matches_of_an_upsert_are_a_conflict(salesforce: Connector) -> None:
    """300 with a list of addresses means that the key fits several records."""
    body = sample("salesforce/restforce_upsert_multiple_error_response.json")

    assert failed(salesforce, 300, body).error_class == "conflict"


@pytest.mark.parametrize(
    ("file", "status", "code", "error_class"),
    [
        ("error.partner-api.json", 401, "unAuthorized", "unauthorized"),
        ("error.partnercenter-api.20002.json", 403, "20002", "forbidden"),
    ],
)
def test_partner_center_has_two_shapes_of_its_own(
    partner_center: Connector, file: str, status: int, code: str, error_class: str
) -> None:
    """The API's nested error and Partner Center's flat one are both read."""
    error = failed(partner_center, status, sample(f"partner-center/{file}"))

    assert (error.code, error.error_class) == (code, error_class)


@pytest.mark.parametrize("body", [{"code": "900421"}, {"code": 900421, "description": "MFA"}])
def test_a_lacking_second_factor_is_told_by_both_hosts(
    partner_center: Connector, events: Connector, body: Any
) -> None:
    """The code decides: whoever reads `forbidden` looks for a role that is not missing."""
    told = [failed(connector, 403, body).error_class for connector in (partner_center, events)]

    assert told == ["unauthorized", "unauthorized"]


def test_the_gateway_has_a_third(partner_center: Connector) -> None:
    """Being throttled is told in another shape, with how long to wait."""
    told = sample("partner-center/error.429.json")

    error = failed(partner_center, told["status"], told["body"], Retry_After="57")

    assert (error.error_class, error.retry_after) == ("rate_limited", timedelta(seconds=57))


def test_codes_are_read_without_regard_to_case(partner_center: Connector) -> None:
    """Microsoft's page and its sample spell the same code differently."""
    error = failed(partner_center, 400, {"error": {"code": "PreconditionFailed", "message": "m"}})

    assert error.error_class == "conflict"


def test_the_identifier_for_support_is_kept(partner_center: Connector) -> None:
    """What Microsoft's support asks for is in the error."""
    assert failed(partner_center, 500, Request_ID="abc").request_id == "abc"


@pytest.mark.parametrize(
    ("status", "happened"),
    [
        *((status, "no") for status in (400, 401, 403, 404, 409, 412, 429)),
        *((status, "maybe") for status in (408, 500, 502, 503, 504)),
    ],
)
def test_only_their_own_failures_leave_doubt(
    salesforce: Connector, status: int, happened: str
) -> None:
    """A refused write did not happen; one that broke on their side may have."""
    assert failed(salesforce, status).happened == happened


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED"])
def test_a_refusal_leaves_no_doubt_whatever_its_status(salesforce: Connector, code: str) -> None:
    """A record that was locked was not written, also where the lock is told with 500."""
    assert failed(salesforce, 500, [{"message": "m", "errorCode": code}]).happened == "no"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "0"}, timedelta()),
        ({"Retry-After": " 120 "}, timedelta(minutes=2)),
        ({"Retry-After": "Tue, 24 Nov 2026 12:01:00 GMT"}, timedelta(minutes=1)),
        (
            {
                "Retry-After": "Tue, 24 Nov 2026 09:01:00 GMT",
                "Date": "Tue, 24 Nov 2026 09:00:00 GMT",
            },
            timedelta(minutes=1),
        ),
        ({"Retry-After": "Tue, 24 Nov 2026 11:00:00 GMT"}, timedelta()),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(
    salesforce: Connector, headers: dict[str, str], expected: timedelta | None
) -> None:
    """Seconds or a date, by the clock of whoever says it; nonsense is no pause at all."""
    with pytest.raises(ConnectorError) as caught:
        answered(salesforce, 429, b"", headers)

    assert caught.value.retry_after == expected


def test_a_page_instead_of_json_is_not_taken_for_an_answer(salesforce: Connector) -> None:
    """A sign-in page of a proxy is trouble on the way, and leaves doubt about a write."""
    with pytest.raises(ConnectorError) as caught:
        answered(salesforce, 200, b"<html>", {"Content-Type": "text/html"})

    assert (caught.value.error_class, caught.value.happened) == ("unavailable", "maybe")


@pytest.mark.parametrize("body", [b"<html>", b"null", b"[]", b"7", b'{"error": {"code": {}}}'])
def test_any_body_of_an_error_will_do(partner_center: Connector, body: bytes) -> None:
    """However odd the body, the status still tells what kind of failure it is."""
    assert failed(partner_center, 404, body).error_class == "not_found"


def test_a_long_message_is_cut(partner_center: Connector) -> None:
    """A message is for people; a page of it is not."""
    assert len(failed(partner_center, 400, {"message": "x" * 5000}).message) == 1024


def test_a_soap_fault_is_read(salesforce: Connector) -> None:
    """Its code has no prefix, and its text is the message."""
    fault = (
        b'<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/'
        b'envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault>'
        b"<faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: expired"
        b"</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )

    error = failed(salesforce, 500, fault)

    assert (error.error_class, error.code, error.message) == (
        "unauthorized",
        "INVALID_SESSION_ID",
        "INVALID_SESSION_ID: expired",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"<a",
        b"<a/>",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"\xff\xfe<",
        b"<html><p>Sorry</html>",
        b"\x00" * 100,
    ],
)
def test_what_is_neither_is_told_by_its_status(salesforce: Connector, content: bytes) -> None:
    """Whatever a gateway sends, the status decides; nothing in it is expanded or fetched."""
    error = failed(salesforce, 502, content)

    assert (error.error_class, error.code, error.happened) == ("unavailable", "502", "maybe")


def test_a_web_page_is_told_by_its_title(partner_center: Connector) -> None:
    """Whoever reads the error sees that a gateway answered."""
    page = b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway &amp; Co</title></head></html>"

    error = failed(partner_center, 502, page, content_type="text/html")

    assert error.message == "answered with status 502 and a web page: 502 Bad Gateway & Co"


def test_json_under_another_type_is_read(partner_center: Connector) -> None:
    """What is in the body counts, not what it is called."""
    reply = answered(partner_center, 200, b'{"id": "1"}', {"Content-Type": "text/html"})

    assert reply.body == {"id": "1"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "INVALID_SESSION_ID"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (403, "API_DISABLED_FOR_ORG"),
        (404, "NOT_FOUND"),
        (404, "ENTITY_IS_DELETED"),
        (412, "PROCESSING_HALTED"),
        (503, "SERVER_UNAVAILABLE"),
    ],
)
def test_a_row_fails_as_a_call_would(salesforce: Connector, status: int, code: str) -> None:
    """A row of a collection has no status; its code leads to the same class."""
    rows = salesforce.operations["update_records"].rows
    assert rows is not None
    alone = failed(salesforce, status, [{"message": "m", "errorCode": code}])
    row = {"success": False, "errors": [{"statusCode": code, "message": "m", "fields": []}]}

    reply = with_row_errors(answered(salesforce, 200, [row]), rows, salesforce.errors, {})

    assert reply.body[0]["error"]["class"] == alone.error_class


def test_rows_that_failed_carry_their_class(salesforce: Connector) -> None:
    """A collection answers 200; each row that failed says why, as an error of its own would."""
    rows = salesforce.operations["update_records"].rows
    assert rows is not None
    lock = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "busy", "fields": []}
    long = {"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["Name"]}
    body = [
        {"id": "1", "success": True, "errors": []},
        {"id": "2", "success": False, "errors": [lock]},
        {"id": "3", "success": False, "errors": [long]},
    ]

    reply = with_row_errors(answered(salesforce, 200, body), rows, salesforce.errors, {})

    told = [row.get("error") for row in reply.body]
    assert [one and (one["class"], one["code"], one["field"]) for one in told] == [
        None,
        ("locked", "UNABLE_TO_LOCK_ROW", None),
        ("invalid", "STRING_TOO_LONG", "Name"),
    ]
