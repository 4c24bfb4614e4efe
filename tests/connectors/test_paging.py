"""Where a list goes on, where it ends, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Connector, Count, Cursor, Paging
from cosell_connectors.paging import next_url, output, until

BASE = "https://api.partner.microsoft.com/v1.0/engagements"
LIST = f"{BASE}/referrals?$orderby=updatedDateTime%20desc"
PAGING = Paging(items="/value", next="/next")


def following(link: Any, *, current: str = LIST, base_url: str = BASE) -> str | None:
    return next_url(PAGING, {"next": link}, current=current, base_url=base_url)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (f"{BASE}/referrals?$skiptoken=x", f"{BASE}/referrals?$skiptoken=x"),
        # As Microsoft's own page prints it: http, and without /engagements.
        (
            "http://api.partner.microsoft.com/v1.0/referrals?$skiptoken=k181",
            f"{BASE}/referrals?$skiptoken=k181",
        ),
        ("/v1.0/engagements/referrals?$skiptoken=x", f"{BASE}/referrals?$skiptoken=x"),
        ("?$skiptoken=x", f"{BASE}/referrals?$skiptoken=x"),
        # A token never goes to another host, whatever a link says.
        ("https://evil.example/v1.0/engagements/referrals?x", f"{BASE}/referrals?x"),
        ("https://evil.example:8443/referrals?x", f"{BASE}/referrals?x"),
        ("//evil.example/v1.0/engagements/referrals?x", f"{BASE}/referrals?x"),
    ],
)
def test_a_link_is_followed_at_our_own_host(link: str, expected: str) -> None:
    """Scheme and host are the connection's, path and query the link's."""
    assert following(link) == expected


def test_salesforce_links_are_relative() -> None:
    """nextRecordsUrl has no host, and lies beside the query."""
    assert (
        following(
            "/services/data/v68.0/query/01gRO-500",
            current="https://acme.my.salesforce.com/services/data/v68.0/query?q=x",
            base_url="https://acme.my.salesforce.com",
        )
        == "https://acme.my.salesforce.com/services/data/v68.0/query/01gRO-500"
    )


@pytest.mark.parametrize("link", [None, ""])
def test_without_a_link_the_list_ends(link: Any) -> None:
    """No link, or an empty one, is the last page."""
    assert following(link) is None


@pytest.mark.parametrize(
    "link",
    [
        7,
        "/v1.0/engagements/../../admin",
        "/v1.0/engagements/%2e%2E/%2e%2e/admin",
        "/admin/users",
        LIST,
    ],
)
def test_a_link_that_leads_astray_is_refused(link: Any) -> None:
    """Out of the base path, or round in a circle: the list stops with an error."""
    with pytest.raises(ConnectorError):
        following(link)


CHANGED = [
    {"id": 3, "updatedDateTime": "2026-11-03T00:00:00.0000001Z"},
    {"id": 2, "updatedDateTime": "2026-11-02T00:00:00.0000000Z"},
    {"id": 1, "updatedDateTime": "2026-11-01T00:00:00.0000000Z"},
]


@pytest.mark.parametrize(
    ("since", "ids", "ended"),
    [
        (None, [3, 2, 1], False),
        ("2026-10-01T00:00:00Z", [3, 2, 1], False),
        ("2026-11-02T00:00:00Z", [3, 2], True),
        (datetime(2026, 11, 2, tzinfo=UTC), [3, 2], True),
        ("2026-11-05T00:00:00Z", [], True),
    ],
)
def test_a_list_ends_at_what_is_older(
    partner_center: Connector, since: Any, ids: list[int], ended: bool
) -> None:
    """What is older than the watermark is dropped; what is exactly as old is read again."""
    paging = partner_center.operations["list_changed_referrals"].paging
    assert paging is not None

    kept, stopped = until(paging, CHANGED, {"since": since})

    assert ([one["id"] for one in kept], stopped) == (ids, ended)


@pytest.mark.parametrize(
    ("named", "ids", "ended"),
    [
        ([], [3, 2], True),  # nothing is named: all, down to the watermark
        (["2"], [2], True),
        (["1"], [1], True),  # older than the watermark, and named
        (["3", "7"], [3], False),  # one may come on a later page
    ],
)
def test_only_what_is_named_is_kept(
    partner_center: Connector, named: list[str], ids: list[int], ended: bool
) -> None:
    """Whatever is named is looked for, however old it is; when all are found, the list ends."""
    paging = partner_center.operations["list_changed_referrals"].paging
    assert paging is not None

    kept, stopped = until(paging, CHANGED, {"since": "2026-11-02T00:00:00Z", "ids": named})

    assert ([one["id"] for one in kept], stopped) == (ids, ended)


def test_what_was_named_does_not_move_the_watermark(partner_center: Connector) -> None:
    """The list was not read through, so the next run begins where this one did."""
    operation = partner_center.operations["list_changed_referrals"]

    made = output(operation, {}, CHANGED[:1], {"ids": ["3"]})

    assert (made["referrals"], made["read_until"]) == (CHANGED[:1], None)


def test_an_item_without_a_moment_is_kept(partner_center: Connector) -> None:
    """What cannot be judged is better read once too often."""
    paging = partner_center.operations["list_changed_referrals"].paging
    assert paging is not None

    kept, _ = until(paging, [{"id": 1}], {"since": "2026-11-05T00:00:00Z"})

    assert kept == [{"id": 1}]


def test_what_was_read_up_to_is_given_out(partner_center: Connector) -> None:
    """The watermark of the next run is the newest change this one saw."""
    operation = partner_center.operations["list_changed_referrals"]

    made = output(operation, {}, CHANGED)

    assert made["read_until"] == "2026-11-03T00:00:00.0000001Z"


def test_nothing_read_is_no_watermark(partner_center: Connector) -> None:
    """Where nothing changed, the watermark is null, and stays where it was."""
    operation = partner_center.operations["list_changed_referrals"]

    assert output(operation, {}, []) == {"referrals": [], "read_until": None}


def test_values_are_picked_from_the_answer(salesforce: Connector) -> None:
    """A query gives out its records and how many there are in all."""
    operation = salesforce.operations["query"]

    assert output(operation, {"totalSize": 9}, [{"Id": "1"}]) == {
        "records": [{"Id": "1"}],
        "total_size": 9,
    }


def test_without_a_declared_output_the_answer_is_given_out(salesforce: Connector) -> None:
    """A describe is handed over as it is."""
    assert output(salesforce.operations["describe"], {"name": "Lead"}, ()) == {"name": "Lead"}


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (20, "https://x.example/v11/Accounts?max_num=20&offset=20"),
        ("a b&c", "https://x.example/v11/Accounts?max_num=20&offset=a%20b%26c"),
        (-1, None),
        (None, None),
        ("", None),
    ],
)
def test_a_mark_is_sent_for_the_next_page(mark: Any, expected: str | None) -> None:
    """The answer says where to go on; what stands for the end is the end."""
    paging = Paging(
        items="/records", next=Cursor(at="/next_offset", parameter="offset", end=("-1",))
    )
    current = "https://x.example/v11/Accounts?offset=0&max_num=20"

    assert next_url(paging, {"next_offset": mark}, current=current, base_url="") == expected


def test_a_mark_that_does_not_move_is_an_error() -> None:
    """A list that never ends is told, not read for ever."""
    paging = Paging(items="/records", next=Cursor(at="/next", parameter="at"))

    with pytest.raises(ConnectorError, match="leads to the page itself"):
        next_url(paging, {"next": "7"}, current="https://x.example/a?at=7", base_url="")


@pytest.mark.parametrize(
    ("count", "current", "had", "expected"),
    [
        (Count(parameter="page", by="page"), "/a", 5, "/a?page=2"),
        (Count(parameter="page", by="page"), "/a?page=2&x=1", 5, "/a?x=1&page=3"),
        (Count(parameter="page", by="page", first=0), "/a", 5, "/a?page=1"),
        (Count(parameter="$skip", by="items", first=0), "/a?$skip=10", 7, "/a?$skip=17"),
        (Count(parameter="page", by="page"), "/a?page=9", 0, None),
    ],
)
def test_pages_can_be_counted(count: Count, current: str, had: int, expected: str | None) -> None:
    """Where nothing tells, counting goes on until a page is empty."""
    paging = Paging(items="", next=count)

    assert next_url(paging, [], current=current, base_url="", had=had) == expected
