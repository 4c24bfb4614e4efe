"""What an `approve` step asks a person, and what an answer is made into. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cosell_definitions.model import Approve, Input, Step

from ..compiling.expressions import evaluate
from .inputs import conform, plain
from .outcomes import Question
from .scope import Frame


def question_of(step: Step, approve: Approve, frame: Frame, asked_at: datetime) -> Question:
    """The question of an `approve` step at one place of a run."""
    path = f"{frame.path}{step.id}"
    key = hashlib.sha256(f"{path} {asked_at.isoformat()}".encode()).hexdigest()[:16]
    message = str(evaluate(approve.message, frame.scope()) or "")
    return Question(
        key=f"{step.id}-{key}",
        step=step.id,
        name=step.name or step.id,
        message=message,
        answer=approve.answer,
        asked_at=asked_at,
        until=asked_at + step.timeout if step.timeout else None,
        place=step.place,
    )


def answer_of(answer: tuple[Input, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """*given* as the answer's types; raises ValueError with a sentence about all that is wrong."""
    wrong = [f"{name!r} was not asked for" for name in given if name not in _names(answer)]
    values: dict[str, Any] = {}
    for one in answer:
        value = given.get(one.name)
        if value is None:
            values[one.name] = plain(one.default)
            if one.required:
                wrong.append(f"{one.name!r} is missing")
            continue
        try:
            values[one.name] = conform(one.schema, value)
        except ValueError as error:
            wrong.append(f"{one.name!r}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return values


def assumed(answer: tuple[Input, ...]) -> dict[str, Any]:
    """What a plan takes for answered: defaults, yes, the first of a choice, and else null."""
    return {one.name: _assumed(one) for one in answer}


def _assumed(one: Input) -> Any:
    if one.default is not None:
        return plain(one.default)
    if one.schema.type == "boolean":
        return True
    return plain(one.schema.enum[0]) if one.schema.enum else None


def _names(answer: tuple[Input, ...]) -> set[str]:
    return {one.name for one in answer}
