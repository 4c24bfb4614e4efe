"""Lists: filters, order, selection, pages."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


def names(answer: Any) -> list[str]:
    return [item["name"] for item in answer["value"]]


def make(world: Any, *many: dict[str, Any]) -> list[str]:
    """Let Microsoft send deals that differ in the given fields."""
    return [world.control("microsoft", do="create", fields=fields)["id"] for fields in many]


@pytest.fixture
def five(world: Any) -> Any:
    """Five deals, a to e, that differ in what can be asked for."""
    make(
        world,
        {"name": "a", "details": {"dealValue": 10.5}},
        {"name": "b", "type": "Independent", "qualification": "Direct"},
        {"name": "c", "customerProfile": {"address": {"country": "DK"}}},
        {"name": "d", "status": "Active", "substatus": "Accepted"},
        {"name": "e it's", "team": [{"email": "r2@alpine.example", "firstName": "R"}]},
    )
    return world


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status eq 'Active'", "d"),
        ("substatus eq 'Pending' and direction eq 'Incoming'", "abce"),
        ("(type eq 'Shared' and direction eq 'Incoming')", "acde"),
        ("status eq 'New' and qualification eq 'SalesQualified'", "ace"),
        ("customerProfile/address/country eq 'DK' and direction eq 'Incoming'", "c"),
        ("team/any(t:t/email eq 'r2@alpine.example')", "e"),
        ("team/any()", "e"),
        ("customerProfile/team/all(p:p/firstName eq 'Priya')", "abcde"),
        ("not (status eq 'New')", "d"),
        ("not status eq 'New' or type eq 'Independent'", "bd"),
        ("type eq 'Independent' or status eq 'Active' and name eq 'x'", "b"),
        ("(type eq 'Independent' or status eq 'Active') and name eq 'd'", "d"),
        ("name ne 'a'", "bcde"),
        ("name eq 'e it''s'", "e"),
        ("details/dealValue lt 10.6", "a"),
        ("details/dealValue le 10.5", "a"),
        ("details/dealValue ge 48000", "bcde"),
        ("details/dealValue gt 10.5", "bcde"),
        ("closedDateTime eq null", "abcde"),
        ("acceptedDateTime ne null", ""),
        ("createdDateTime gt 2020-01-01T00:00:00Z", "abcde"),
        ("createdDateTime lt 2020-01-01T00:00:00+02:00", ""),
        ("isSpam eq false", "abcde"),
        ("Status eq 'Active'", "d"),
    ],
)
def test_filters(five: Any, text: str, found: str) -> None:
    """Every documented form of a filter finds what it says, and only that."""
    assert "".join(name[0] for name in names(five.listed(filter=text))) == found


@pytest.mark.parametrize(
    "text",
    [
        "status",
        "status eq",
        "status eq 'New",
        "status eq 'New')",
        "(status eq 'New'",
        "colour eq 'New'",
        "details eq 'New'",
        "team/any(t:t/colour eq 'x')",
        "status in ('New')",
        "contains(name,'a')",
        "details/dealValue gt 'much'",
        "createdDateTime gt 'soon'",
        "name gt 5",
        "'New' eq 'New'",
        "engagementId eq 'x'",
        "(" * 60 + "status eq 'New'" + ")" * 60,
    ],
)
def test_unsound_filters_are_refused(world: Any, text: str) -> None:
    """A filter the service does not know answers 400 invalidRequest."""
    answer = world.call("GET", "/referrals", params={"$filter": text})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalidRequest")


@pytest.mark.parametrize("quote", ["'", ""])
def test_related_referrals(world: Any, deal: dict[str, Any], quote: str) -> None:
    """Filtering by the engagement gives both sides' referrals, its identifier quoted or not."""
    own, theirs = world.co_sell(deal)
    make(world, {})
    answer = world.listed(filter=f"engagementId eq {quote}{own['engagementId']}{quote}")

    assert [item["id"] for item in answer["value"]] == [own["id"], theirs["id"]]


def test_order(five: Any) -> None:
    """The newest come first when asked so."""
    assert names(five.listed(orderby="createdDateTime desc"))[0] == "e it's"


def test_order_by_update(five: Any) -> None:
    """A referral that was written last is the first by its update."""
    referral = five.listed(filter="name eq 'c'")["value"][0]
    five.patch(referral["id"], ("/details/notes", "new"))

    assert names(five.listed(orderby="updatedDateTime desc", top="1")) == ["c"]


@pytest.mark.parametrize(
    "options",
    [
        {"$orderby": "name"},
        {"$orderby": "createdDateTime up"},
        {"$top": "-1"},
        {"$top": "x"},
        {"$skip": "1.5"},
        {"$count": "yes"},
        {"$select": "colour"},
        {"$search": "x"},
        {"$skiptoken": "x"},
    ],
)
def test_unsound_options_are_refused(world: Any, options: dict[str, str]) -> None:
    """An option the service does not know, or a senseless value of one, answers 400."""
    answer = world.call("GET", "/referrals", params=options)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalidRequest")


def test_top_and_skip(five: Any) -> None:
    """So many are skipped, so many are given, and no more pages follow."""
    answer = five.listed(orderby="createdDateTime", skip="1", top="2")

    assert (names(answer), "@odata.nextLink" in answer) == (["b", "c"], False)


def test_select(five: Any) -> None:
    """Only selected properties come, nested ones in their place."""
    answer = five.listed(select="name,customerProfile/address/country", top="1")

    assert answer["value"] == [
        {"name": "a", "customerProfile": {"address": {"country": "US"}}},
    ]


def test_count_comes_unasked(five: Any) -> None:
    """The count of everything found is there without $count, and goes with $count=false."""
    counts = [five.listed(top="1").get("@odata.count"), five.listed(count="false").get("x")]

    assert counts == [5, None]


def test_pages_hold_fifty(world: Any) -> None:
    """A hundred and twenty referrals come in three pages, each once, in order."""
    make(world, *({"name": str(number)} for number in range(120)))
    seen, sizes = [], []
    page = world.listed(orderby="createdDateTime desc", filter="status eq 'New'", select="name")
    while True:
        sizes.append(len(page["value"]))
        seen += names(page)
        if "@odata.nextLink" not in page:
            break
        token = parse_qs(urlsplit(page["@odata.nextLink"]).query)["$skiptoken"][0]
        page = world.call("GET", "/referrals", params={"$skiptoken": token}).json()

    assert (sizes, seen) == ([50, 50, 20], [str(number) for number in reversed(range(120))])


def test_next_link_has_the_printed_oddities(world: Any) -> None:
    """A next link is plain http, leaves /engagements out, and works all the same."""
    make(world, *({} for _ in range(51)))
    link = world.listed()["@odata.nextLink"]
    headers = {"Authorization": f"Bearer {world.token}"}
    page = world.http.get(link, headers=headers).json()

    parts = urlsplit(link)
    assert (parts.scheme, parts.path, len(page["value"])) == ("http", "/v1.0/referrals", 1)


def test_top_beyond_a_page(world: Any) -> None:
    """Asking for sixty gives fifty and a link to ten."""
    make(world, *({} for _ in range(70)))
    page = world.listed(top="60")
    headers = {"Authorization": f"Bearer {world.token}"}
    rest = world.http.get(page["@odata.nextLink"], headers=headers).json()

    assert (len(page["value"]), len(rest["value"]), "@odata.nextLink" in rest) == (50, 10, False)


def test_single_referral_selects(five: Any) -> None:
    """A single referral can be asked for some of its properties."""
    referral_id = five.listed(top="1")["value"][0]["id"]
    answer = five.call("GET", f"/referrals/{referral_id}?$select=name").json()

    assert set(answer) == {"@odata.context", "name"}
