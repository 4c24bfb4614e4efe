"""Check the values of a step against what it does with them: the cases of a switch, what is waited for."""

from __future__ import annotations

from cosell_definitions.binding import has_templates
from cosell_definitions.model import Bare, Template, Value
from cosell_definitions.problems import Place

from .finding import Findings
from .types import Type, among, misspelt


def check_case(
    subject: Bare, asked: Type, value: Value, given: Type, place: Place, found: Findings
) -> None:
    """A case of a switch that the subject can never be."""
    if not asked.known or not given.known or {"null"} in (asked.kinds, given.kinds):
        return
    mine = asked.without_null()
    shown = "the case" if has_templates(value) else f"the case {_shown(value)}"
    if not mine.may_be(*given.kinds):
        message = f"{shown} never holds: {subject.text.strip()} is {mine}, and the case is {given}"
        hint = "write true or false" if "boolean" in mine.kinds else "write it as it is, unquoted"
        if "text" in mine.kinds:
            hint = "put the case into quotes"
        found.say("X012", place, message, hint)
    elif (
        mine.values is not None
        and given.values is not None
        and not mine.values & given.values
        and misspelt(str(value), mine.values)
    ):
        message = f"{shown} never holds: {subject.text.strip()} cannot be that"
        found.say("X012", place, message, among(str(value), mine.values))


def _shown(value: Value) -> str:
    return repr(value) if isinstance(value, str) else str(value).lower()


def check_case_taken(value: Value, first: Place, place: Place, found: Findings) -> None:
    """A case that an earlier one leaves nothing for."""
    message = f"the case {_shown(value)} never holds: the one of line {first.line} is taken first"
    found.say("X012", place, message, "delete one of the two, or join their steps")


def check_wait(until: Template, given: Type, found: Findings) -> None:
    """What is waited for is a duration or a moment."""
    if not given.may_be("text", "date", "moment", "duration"):
        message = f"this is {given}, which is neither a duration nor a moment"
        found.say("F016", until.place, message, "give a text such as 5m, a date, or a moment")
