"""The table of the engine's own operations: what each takes, and what it gives out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOperation:
    """One operation of the engine: its arguments (name → required) and what it gives out."""

    summary: str
    parameters: Mapping[str, bool]
    output: tuple[str, ...] | None = None


OPERATIONS: Mapping[str, Mapping[str, EngineOperation]] = {
    "sync": {
        "plan": EngineOperation(
            summary="merge two records field by field; nothing is written",
            parameters={"mapping": True, "left": True, "right": True, "notes": False},
            output=("is_empty", "left", "right", "notes", "edits", "echoes"),
        ),
        "apply": EngineOperation(
            summary="write what `sync.plan` found, Partner Center first, and keep the new base",
            parameters={"plan": True},
            output=("written", "left", "right"),
        ),
        "write": EngineOperation(
            summary="write lists that no row carries into a left record, known as our own hand",
            parameters={"mapping": True, "record": True, "fields": True},
        ),
        "create": EngineOperation(
            summary="make the missing twin of a record from the mapping's rows and `also`, once",
            parameters={
                "mapping": True, "side": True, "from": True, "also": False, "message": False,
            },
        ),
        "compose": EngineOperation(
            summary="what a new record would get from the mapping's rows; nothing is written",
            parameters={"mapping": True, "side": True, "from": True, "also": False},
        ),
        "report": EngineOperation(
            summary="tell the seller that the sync failed, and keep a dead letter",
            parameters={"mapping": True, "error": True, "left": False, "right": False},
        ),
        "note": EngineOperation(
            summary="put a line into the audit trail of a record",
            parameters={"mapping": True, "right": True, "message": True},
        ),
        "due": EngineOperation(
            summary="whether a record is worth trying, or failed lately and did not change since",
            parameters={"mapping": True, "side": True, "record": True, "named": False},
            output=("due", "reason"),
        ),
        "waiting": EngineOperation(
            summary="records that failed and are to be tried again now",
            parameters={"mapping": True},
            output=("left_ids", "right_ids"),
        ),
        "deleted": EngineOperation(
            summary="say of linked records that they were deleted in Salesforce",
            parameters={"mapping": True, "right_ids": True},
            output=("count",),
        ),
        "links": EngineOperation(
            summary="the links of a mapping, of some records or of all",
            parameters={"mapping": True, "left_ids": False, "right_ids": False},
            output=("links", "by_left", "by_right"),
        ),
        "plan_rows": EngineOperation(
            summary="merge two lists of keys against the list both last agreed on (`base`)",
            parameters={"left": True, "right": True, "base": False},
            output=("agreed", "add_left", "remove_left", "add_right", "remove_right"),
        ),
        "recall": EngineOperation(
            summary="what was remembered about a linked record under a name, or null",
            parameters={"mapping": True, "left_id": True, "name": True},
            output=("value",),
        ),
        "remember": EngineOperation(
            summary="remember a value about a linked record under a name",
            parameters={"mapping": True, "left_id": True, "name": True, "value": True},
        ),
        "advance_cursor": EngineOperation(
            summary="remember how far a list was read; never back, and nothing for null",
            parameters={"name": True, "to": True},
        ),
    },
    "debug": {
        "echo": EngineOperation(summary="give back what it is given", parameters={}),
        "fail": EngineOperation(
            summary="fail the first `times` attempts with `class`, then succeed",
            parameters={"class": False, "times": False, "message": False},
            output=("attempts",),
        ),
    },
}  # fmt: skip
