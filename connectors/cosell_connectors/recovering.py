"""Find out whether a write happened whose answer was lost: what to ask, how to judge it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .model import Operation, Recover
from .pointers import MISSING, pick


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask the other system."""

    rule: Recover
    operation: str
    arguments: Mapping[str, Any]


def question(
    operation: Operation, arguments: Mapping[str, Any], *, intended_at: datetime
) -> Question | None:
    """What tells whether *operation* was done since *intended_at*, where a rule applies."""
    for rule in operation.recover:
        if rule.if_argument is not None and not _given(arguments, rule.if_argument):
            continue
        if not all(_given(arguments, pointer) for pointer in rule.match.values()):
            continue  # without something to compare, any record would look like ours
        asked = {name: pick(arguments, pointer) for name, pointer in rule.arguments.items()}
        if rule.since_parameter is not None:
            asked[rule.since_parameter] = intended_at - rule.window
        return Question(rule=rule, operation=rule.operation, arguments=asked)
    return None


def found(asked: Question, output: Any, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The record the write made, if it is in *output*."""
    name = asked.rule.candidates
    candidates: Sequence[Any] = (output,) if name is None else output.get(name) or ()
    for candidate in candidates:
        pairs = asked.rule.match.items()
        same = all(pick(candidate, here) == pick(arguments, there) for here, there in pairs)
        if same and all(pick(candidate, at) in any_of for at, any_of in asked.rule.holds.items()):
            return candidate if isinstance(candidate, Mapping) else None
    return None


def _given(arguments: Mapping[str, Any], pointer: str) -> bool:
    value = pick(arguments, pointer)
    return value is not MISSING and value is not None and value != ""
