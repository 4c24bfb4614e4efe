"""Tell whether a record still stands as it was read or left. Pure.

A version of Salesforce (SystemModstamp) counts whole seconds, and so does `If-Unmodified-Since`: two
edits of one second share a version. So the version alone is not believed. What the fields said when
we left a record is kept as a print, and a record that was changed a moment ago is looked at once
more before it is written (`second_look`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from .decisions import values_of
from .mirror import Mirror
from .records import pick
from .values import parse_moment, plain

PRINT = "print"  # what a right record said when we left it, in the notes of a link
_CLOCKS = timedelta(seconds=60)  # how far two of them are apart at most


def print_of(mirror: Mirror, record: Mapping[str, Any]) -> str:
    """What the mapping's fields of a right record say; related records have versions of their own."""
    said = {
        row.field.id: plain(values_of(row, record, "right"))
        for row in mirror.rows
        if row.right and "." not in row.right[0] and not row.field.decoration
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def may_hide_an_edit(version: Any, *, began: datetime) -> bool:
    """Whether a record may have been edited in the second of its version after we read it.

    What changed last well before the run *began* was read when that second was over.
    """
    moment = parse_moment(version)
    return moment is not None and moment > began - _CLOCKS


def differing(
    before: Mapping[str, Any], now: Mapping[str, Any], fields: Iterable[str]
) -> tuple[str, ...]:
    """The fields that do not say any more what they said."""
    return tuple(name for name in fields if pick(before, name) != pick(now, name))
