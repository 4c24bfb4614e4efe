"""From an operation and its arguments to the parts of a request."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from cosell_connectors.errors import BadArguments
from cosell_connectors.model import Connector, Operation, Parameter
from cosell_connectors.outgoing import Outgoing, build, moment

ORG = "https://acme.my.salesforce.com"


def made(connector: Connector, operation: str, base_url: str = ORG, **arguments: Any) -> Outgoing:
    return build(
        connector,
        connector.operations[operation],
        arguments,
        base_url=base_url,
        settings=connector.settings,
    )


def test_spaces_in_a_query_are_percent_20(salesforce: Connector) -> None:
    """A query is encoded with %20, which every server reads as a space, never with +."""
    request = made(salesforce, "query", q="SELECT Id FROM Account WHERE Name = 'A+B & C'")

    assert request.url == (
        f"{ORG}/services/data/v68.0/query"
        "?q=SELECT%20Id%20FROM%20Account%20WHERE%20Name%20%3D%20%27A%2BB%20%26%20C%27"
    )


def test_an_argument_cannot_leave_its_part_of_the_path(salesforce: Connector) -> None:
    """A slash in an identifier stays part of the identifier."""
    request = made(salesforce, "get_record", object="Account", id="../limits?x=1#y")

    assert request.url == f"{ORG}/services/data/v68.0/sobjects/Account/..%2Flimits%3Fx%3D1%23y"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_dot_segment_is_no_identifier(salesforce: Connector, name: str) -> None:
    """An identifier that a server would take for a folder is refused."""
    with pytest.raises(BadArguments, match="part of the address"):
        made(salesforce, "get_record", object="Account", id=name)


def test_dollar_names_of_odata_stay_readable(partner_center: Connector) -> None:
    """`$filter` keeps its dollar sign, as Microsoft writes it."""
    request = made(partner_center, "list_referrals", "https://pc/v1", filter="status eq 'New'")

    assert request.url == "https://pc/v1/referrals?$filter=status%20eq%20%27New%27"


def test_an_identifier_in_a_filter_stands_in_quotes(partner_center: Connector) -> None:
    """The engagement is put into the filter between the quotes the file writes."""
    guid = "31a40b52-cda1-5004-ada6-add410fe614c"

    request = made(partner_center, "related_referrals", "https://pc/v1", engagement_id=guid.upper())

    assert request.url.endswith(f"$filter=engagementId%20eq%20%27{guid}%27")


def test_nothing_breaks_out_of_a_filter(partner_center: Connector) -> None:
    """Text that is no UUID never reaches a filter made for one."""
    with pytest.raises(BadArguments, match="engagement_id"):
        made(partner_center, "related_referrals", engagement_id="x' or '1' eq '1")


def test_every_wrong_argument_is_named_at_once(salesforce: Connector) -> None:
    """A missing and an unknown argument are told together."""
    with pytest.raises(BadArguments) as caught:
        made(salesforce, "get_record", object="Account", ident="001")

    assert caught.value.message == (
        "there is no argument 'ident'; it takes fields, id, object; the argument 'id' is missing"
    )


def test_bad_arguments_never_happened(salesforce: Connector) -> None:
    """A call that was not sent cannot have had an effect."""
    with pytest.raises(BadArguments) as caught:
        made(salesforce, "create_record")

    assert caught.value.happened == "no"


def test_null_is_as_good_as_not_given(salesforce: Connector) -> None:
    """An optional argument that is null is left out."""
    request = made(salesforce, "get_record", object="Account", id="001", fields=None)

    assert "?" not in request.url


def test_a_list_in_a_query_is_joined_by_commas(salesforce: Connector) -> None:
    """Field names are sent as one value, as Salesforce wants them."""
    request = made(salesforce, "get_record", object="Account", id="001", fields=["Id", "Name"])

    assert request.url.endswith("?fields=Id%2CName")


def test_a_stamp_becomes_an_http_date(salesforce: Connector) -> None:
    """Salesforce's own stamp can be handed back as If-Unmodified-Since."""
    request = made(
        salesforce,
        "update_record",
        object="Opportunity",
        id="006",
        fields={},
        unmodified_since="2026-11-20T10:00:59.999+0000",
    )

    assert request.headers["If-Unmodified-Since"] == "Fri, 20 Nov 2026 10:00:59 GMT"


def test_writes_do_not_run_assignment_rules(salesforce: Connector) -> None:
    """A lead keeps its owner unless the flow says otherwise."""
    request = made(salesforce, "update_record", object="Lead", id="00Q", fields={"OwnerId": "005"})

    assert request.headers["Sforce-Auto-Assign"] == "FALSE"


def test_our_writes_can_be_told_apart(salesforce: Connector) -> None:
    """Every call to Salesforce carries our name, which change events repeat."""
    request = made(salesforce, "create_record", object="Account", fields={"Name": "A"})

    assert request.headers["Sforce-Call-Options"] == "client=cosell"


def test_a_decimal_keeps_its_digits_in_the_body(partner_center: Connector) -> None:
    """Money is sent as a JSON number with exactly its digits."""
    operations = [{"op": "replace", "path": "/details/dealValue", "value": Decimal("10.10")}]

    request = made(partner_center, "update_referral", "https://pc", id="1", operations=operations)

    assert request.content == b'[{"op":"replace","path":"/details/dealValue","value":10.10}]'


def test_an_etag_is_sent_with_its_own_quotes(partner_center: Connector) -> None:
    """If-Match carries the eTag verbatim: its quotes belong to it."""
    request = made(
        partner_center, "update_referral", "https://pc", id="1", operations=[], if_match='"25-0"'
    )

    assert request.headers["If-Match"] == '"25-0"'


def test_a_header_cannot_be_split(partner_center: Connector) -> None:
    """A line break in an argument does not make a second header."""
    with pytest.raises(BadArguments, match="line break"):
        made(
            partner_center,
            "update_referral",
            "https://pc",
            id="1",
            operations=[],
            if_match="x\r\nEvil: 1",
        )


def test_every_record_of_a_collection_says_its_kind(salesforce: Connector) -> None:
    """The object is written into each record's attributes."""
    request = made(
        salesforce,
        "create_records",
        object="Contact",
        records=[{"LastName": "A"}, {"LastName": "B"}],
    )

    assert json.loads(request.content or b"") == {
        "records": [
            {"LastName": "A", "attributes": {"type": "Contact"}},
            {"LastName": "B", "attributes": {"type": "Contact"}},
        ],
        "allOrNone": False,
    }


def test_arguments_are_left_as_they_were(salesforce: Connector) -> None:
    """What the caller hands in is not changed by sending it."""
    records = [{"LastName": "A"}]

    made(salesforce, "create_records", object="Contact", records=records)

    assert records == [{"LastName": "A"}]


def test_more_records_than_fit_are_refused(salesforce: Connector) -> None:
    """A collection takes 200 records; the 201st is not silently dropped."""
    with pytest.raises(BadArguments, match="201 elements, and 200"):
        made(salesforce, "create_records", object="Contact", records=[{}] * 201)


def test_an_address_that_is_too_long_is_not_sent(salesforce: Connector) -> None:
    """Salesforce answers 414 beyond 16,384 characters; we say so before sending."""
    with pytest.raises(BadArguments) as caught:
        made(salesforce, "query", q="x" * 17_000)

    assert caught.value.error_class == "too_large"


def test_fixed_parts_are_always_sent(events: Connector) -> None:
    """A registration asks for the signature in a header a proxy will not drop."""
    request = made(events, "register", "https://pc", url="https://me/hook", events=["test-created"])

    assert json.loads(request.content or b"") == {
        "SignatureTokenToMsSignatureHeader": True,
        "WebhookUrl": "https://me/hook",
        "WebhookEvents": ["test-created"],
    }


def test_an_operation_may_lie_outside_the_base_path(salesforce: Connector) -> None:
    """The user's own page is not below /services/data."""
    assert made(salesforce, "who_am_i").url == f"{ORG}/services/oauth2/userinfo"


def test_the_api_version_is_a_setting(salesforce: Connector) -> None:
    """Another version of the API is a matter of one setting."""
    request = build(
        salesforce,
        salesforce.operations["limits"],
        {},
        base_url=ORG,
        settings={"api_version": "v66.0"},
    )

    assert request.url == f"{ORG}/services/data/v66.0/limits"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T10:00:00.1234567Z", datetime(2026, 11, 20, 10, 0, 0, 123456, UTC)),
        ("2026-11-20T10:00:00.5Z", datetime(2026, 11, 20, 10, 0, 0, 500000, UTC)),
        ("2026-11-20T12:00:00.000+0200", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ],
)
def test_both_vendors_stamps_are_read(text: str, expected: datetime) -> None:
    """Seven digits, zones without a colon, and no zone at all are all moments."""
    assert moment(text) == expected


def test_a_date_is_no_moment(salesforce: Connector) -> None:
    """A day has no time; guessing midnight would be guessing a zone."""
    with pytest.raises(BadArguments, match="a moment is needed"):
        made(
            salesforce,
            "update_record",
            object="A",
            id="1",
            fields={},
            unmodified_since=date(2026, 11, 20),
        )


@pytest.mark.parametrize(
    ("way", "expected"),
    [("odata", "name eq 'O''Brien \\ Co'"), ("soql", "name eq 'O\\'Brien \\\\ Co'")],
)
def test_a_text_stays_within_its_quotes(way: Any, expected: str) -> None:
    """A quote in a value does not end the text it stands in."""
    parameter = Parameter(
        name="q", location="query", wire_name="q", format="name eq '{}'", escape=way
    )
    operation = Operation(
        name="find",
        summary="",
        method="GET",
        path="/x",
        effect="read",
        idempotent=True,
        parameters=(parameter,),
    )

    made = build(
        Connector(name="x", title="X"),
        operation,
        {"q": "O'Brien \\ Co"},
        base_url="https://x.example",
        settings={},
    )

    assert unquote(urlsplit(made.url).query) == f"q={expected}"
