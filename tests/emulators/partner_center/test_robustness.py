"""Whatever is sent, the emulator answers; it never breaks."""

import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cosell_emulators import exact_json
from cosell_emulators.clock import Clock
from cosell_emulators.partner_center import filtering, moments, patching
from cosell_emulators.partner_center.problems import ReferralRefusal
from cosell_emulators.partner_center.referrals import Referrals
from cosell_emulators.partner_center.shapes import REFERRAL, Thing

NAMES = [*REFERRAL.fields, "firstName", "dealValue", "id", "solutions", "op", "path", "value"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.text(max_size=8),
    st.sampled_from(["Active", "Shared", "2027-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "US"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
FILTER = """
status eq 'New' and or not ( ) team/any( t:t/email null / details/dealValue gt 1.5 createdDateTime
2027-01-01T00:00:00Z x : '
"""
WORDS = st.sampled_from(FILTER.split())
ROOT = "http://sandbox"


def quietly(_: str, __: str, ___: int) -> None:
    """Tell nobody."""


def refused(act: Any, *arguments: Any) -> bool:
    """Say whether something is refused the proper way; any other error fails the test."""
    try:
        act(*arguments)
    except ReferralRefusal:
        return True
    return False


@given(JSON)
def test_any_body_is_made_or_refused(body: Any) -> None:
    """A body of any shape makes a referral that can be written down, or is refused."""
    referrals = Referrals(base_url=lambda: ROOT, clock=Clock(), announce=quietly)
    made = not refused(referrals.create, body)

    assert made is bool([exact_json.dumps(one.document) for one in referrals])


@given(st.lists(JSON, max_size=3) | JSON)
def test_any_patch_is_read_or_refused(body: Any) -> None:
    """A patch of any shape is read or refused."""
    assert refused(patching.read, body) in (True, False)


@given(st.sampled_from(sorted(patching.PLACES)), JSON)
def test_any_value_is_patched_or_refused(path: str, value: Any) -> None:
    """Any value at any place is taken in the shape of the place, or refused."""
    body = [{"op": "add", "path": path, "value": value}]
    if not refused(patching.read, body):
        (change,) = patching.read(body)
        assert not isinstance(change.place.shape, Thing) or isinstance(change.value, dict)


@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(string.printable, max_size=30))
def test_any_filter_is_read_or_refused(text: str) -> None:
    """A filter of any words is read, and can be asked, or refused."""
    if not refused(filtering.read, text):
        assert filtering.read(text).matches({"status": "New", "team": []}) in (True, False)


@given(st.integers(-62_135_596_800 * moments.SECOND, 253_402_300_799 * moments.SECOND))
def test_moments_come_back(ticks: int) -> None:
    """A moment that is written and read again is the same, in both ways of writing it."""
    assert moments.read(moments.write(ticks)) == moments.read(moments.write_short(ticks)) == ticks
