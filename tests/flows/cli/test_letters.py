"""`cosell letters`: one open item per record, and to try again."""

from __future__ import annotations

import pytest

from cosell_flows.ledger import Ledger

from .conftest import NOON, Cosell, Remember

DEAL, OTHER = "006000000000001AAA", "006000000000002AAA"


async def _failed(ledger: Ledger, deal: str = DEAL, error_class: str = "invalid") -> None:
    await ledger.letters.open_or_update(
        "referral-opportunity", flow="create-referral", error_class=error_class,
        message="Please add a country.", hint="fill in BillingCountry", opportunity_id=deal,
        place="definitions/cosell/create-referral.flow.yaml:40",
    )  # fmt: skip


@pytest.fixture
def two(remember: Remember) -> None:
    """Two open letters, of two classes; the first deal failed twice."""

    async def work(ledger: Ledger) -> None:
        await _failed(ledger)
        await _failed(ledger)
        await _failed(ledger, OTHER, "unavailable")

    remember(work)


def test_no_letters_where_nothing_ran(cosell: Cosell) -> None:
    """A project without a ledger has no letters, and gets no ledger by being asked."""
    assert cosell("--json", "letters", "list").json == {"letters": []}


def test_a_letter_as_json(cosell: Cosell, two: None) -> None:
    """The names that scripts rely on."""
    first = cosell("--json", "letters", "list").json["letters"][0]

    wanted = {
        "id": "1", "status": "open", "class": "invalid", "flow": "create-referral", "attempts": 2,
        "record": {"opportunity_id": DEAL, "referral_id": None}, "hint": "fill in BillingCountry",
        "message": "Please add a country.", "first_at": NOON.isoformat(), "last_at": NOON.isoformat(),
    }  # fmt: skip
    assert {name: first[name] for name in wanted} == wanted


def test_letters_of_a_class(cosell: Cosell, two: None) -> None:
    """`--class` leaves the others out."""
    said = cosell("--json", "letters", "list", "--class", "unavailable")

    assert [one["id"] for one in said.json["letters"]] == ["2"]


def test_a_class_that_no_letter_has(cosell: Cosell, two: None) -> None:
    """The class that was meant is named."""
    said = cosell("letters", "list", "--class", "unavailble")

    assert (said.code, "did you mean 'unavailable'?" in said.err) == (1, True)


def test_letters_are_tried_again_by_class(cosell: Cosell, two: None) -> None:
    """Only those are marked."""
    cosell("letters", "retry", "--class", "unavailable")

    asked = {
        one["id"]: one["retry_asked"] for one in cosell("--json", "letters", "list").json["letters"]
    }
    assert asked == {"1": False, "2": True}


def test_a_retry_says_who_will_try(cosell: Cosell, two: None) -> None:
    """Without a running `serve`, the command that tries now."""
    said = cosell("letters", "retry", "1")

    assert (said.code, "cosell run create-referral" in said.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("retry",), 2, "which letters?"),
        (("retry", "99"), 1, "there is no letter '99'"),
        (("retry", "x1"), 1, "there is no letter 'x1'"),
        (("show", "99"), 1, "there is no letter '99'"),
        (("retry", "--all", "--set", "Country=DK"), 2, "--set is for one letter"),
        (("retry", "1", "2", "--set", "Country=DK"), 2, "--set is for one letter"),
        (("retry", "1", "--set", "Country"), 2, "is not FIELD=VALUE"),
        (("retry", "1", "--set", "Cuntry=DK"), 2, "did you mean 'Country'?"),
        (("retri", "1"), 2, "retri"),
    ],
)
def test_wrong_usage(
    cosell: Cosell, two: None, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """A sentence, and the exit code of a question asked wrongly or of a no."""
    said = cosell("letters", *arguments)

    assert (said.code, told in said.err, "Traceback" in said.err) == (code, True, False), said.err


def test_a_closed_letter_is_not_tried_again(cosell: Cosell, two: None, remember: Remember) -> None:
    """It closed because a later run succeeded."""

    async def close(ledger: Ledger) -> None:
        await ledger.letters.close("referral-opportunity", opportunity_id=DEAL)

    remember(close)

    said = cosell("letters", "retry", "1")

    assert (said.code, "a later run succeeded" in said.err) == (1, True)


def test_what_came_from_microsoft_is_not_edited(cosell: Cosell, remember: Remember) -> None:
    """A referral without an opportunity is corrected in Partner Center."""

    async def work(ledger: Ledger) -> None:
        await ledger.letters.open_or_update(
            "referral-opportunity", flow="partner-center-to-salesforce", error_class="invalid",
            message="no", referral_id="4111fffc-f9ee-4d53-bba6-569135228642",
        )  # fmt: skip

    remember(work)

    said = cosell("letters", "retry", "1", "--set", "Country=DK", "--yes")

    assert (said.code, "not edited here" in said.err) == (1, True)


def test_what_was_deleted_is_not_tried_again(cosell: Cosell, remember: Remember) -> None:
    """Asked to, the command says what can be done instead."""

    async def work(ledger: Ledger) -> None:
        await _failed(ledger, error_class="deleted")

    remember(work)

    said = cosell("letters", "retry", "--all")

    assert (said.code, "to be tried again" in said.out) == (0, False)
    assert "not tried again: 1; restore the record from the recycle bin" in said.out
