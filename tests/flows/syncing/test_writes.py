"""What a run keeps of each of its writes, of which it may do ten thousands."""

from __future__ import annotations

import pickle

from cosell_flows.syncing.writes import LONGEST, FieldWrite, Write

TRAIL = "2026-11-27 07:32 - Received from Partner Center: Notes a → b.\n" * 500
NOTES = "n" * 3 * LONGEST


def done(own: str, seller: str) -> Write:
    """A write of a trail and a field, as it is kept after it was done."""
    return Write(
        system="salesforce",
        object="Opportunity",
        id=None,
        kind="update",
        operation="update_record",
        arguments={"record": {"Audit__c": own, "Description": seller}},
        fields=(
            FieldWrite(field="Audit__c", old=own, new=own, own=True),
            FieldWrite(field="Description", old=None, new=seller),
        ),
    ).done("006E00000012345")


def test_a_long_trail_is_not_kept_with_every_write() -> None:
    """Neither in the request, which nobody asks for any more, nor in what is told of it."""
    short, long = (len(pickle.dumps(done(own, "notes"))) for own in (TRAIL[:LONGEST], TRAIL))

    assert len(TRAIL) > 10 * LONGEST
    assert long < short + LONGEST + 100, "what was there before is told, too"


def test_what_a_seller_wrote_is_told_whole() -> None:
    """Only of what is ours the rest is left out."""
    told = done("one line", NOTES).as_json()

    assert told["id"] == "006E00000012345"
    assert [one["new"] for one in told["fields"]] == ["one line", NOTES]
