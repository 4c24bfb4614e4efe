"""A write that is going to happen, or would: what `plan` shows is what a run sends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cosell_definitions.problems import Place

Kind = Literal["create", "update", "delete"]
NEW, NEW_ENDS = "⟨new", "⟩"  # around what stands for the id of a record that a plan would make


LONGEST = 2_000  # letters of a trail of ours that the story of a run has room for


def new_id(name: str, body: Any) -> str:
    """What stands for the id of a record that is still to be made; the same for the same *body*."""
    text = json.dumps(body, sort_keys=True, default=str)
    return f"{NEW} {name} {hashlib.sha256(text.encode()).hexdigest()[:6]}{NEW_ENDS}"


def newest_line(value: Any) -> Any:
    """Of a text with many lines, the first: the trail itself is in the record, not in every story."""
    if not isinstance(value, str) or "\n" not in value:
        return value
    return f"{value.splitlines()[0]} …"


def _beginning(value: Any) -> Any:
    is_long = isinstance(value, str) and len(value) > LONGEST
    return f"{value[:LONGEST]}…" if is_long else value


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWrite:
    """One field of a write. `own`: the audit line and the mark, which are ours."""

    field: str
    old: Any
    new: Any
    rule: Place | None = None
    loses: Any = None
    own: bool = False
    label: str = ""

    def as_json(self, *, planned: bool) -> dict[str, Any]:
        """The field as `run` and `plan` print it."""
        shown: dict[str, Any] = {"field": self.field, "old": self.old, "new": self.new}
        if planned:
            rule = f"{self.rule.file}:{self.rule.line}" if self.rule else None
            shown |= {"rule": rule, "loses": self.loses}
        return shown | {"own": self.own}

    def told(self) -> FieldWrite:
        """The field as the story of a run keeps it: of a trail of ours, the beginning."""
        if not self.own:
            return self
        return replace(self, old=_beginning(self.old), new=_beginning(self.new))


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One request that changes a record on one side."""

    system: str
    object: str
    id: str | None
    kind: Kind
    operation: str
    arguments: Mapping[str, Any]
    fields: tuple[FieldWrite, ...] = ()
    mapping: str | None = None
    left_id: str | None = None
    right_id: str | None = None
    predicted: Mapping[str, Any] = field(default_factory=dict)  # what a plan takes for the answer

    def done(self, record_id: str | None) -> Write:
        """The write as the story of a run keeps it: a run may do ten thousands, and a request with
        the whole trail of a deal is larger than all that is to be said of it."""
        told = tuple(one.told() for one in self.fields)
        return replace(self, id=record_id, arguments={}, predicted={}, fields=told)

    def as_json(self) -> dict[str, Any]:
        """The write as `run --json` prints it."""
        return {
            "system": self.system,
            "object": self.object,
            "id": self.id,
            "operation": self.kind,
            "fields": [one.as_json(planned=False) for one in self.fields],
        }

    def as_change(self) -> dict[str, Any]:
        """The write as `plan --json` prints it."""
        return {
            "system": self.system,
            "object": self.object,
            "key": self.id or self.right_id or self.left_id,
            "operation": self.kind,
            "fields": [one.as_json(planned=True) for one in self.fields],
        }
