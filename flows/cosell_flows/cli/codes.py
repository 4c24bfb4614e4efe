"""Every problem code with its page: those of the documents, and those of a check against an org."""

from __future__ import annotations

from collections.abc import Mapping

from cosell_definitions.codes import Code, codes

_LIVE = (
    Code(
        code="M040",
        title="The org has no such object",
        why=(
            "`cosell check --against ENV` asked the Salesforce of that environment for an object "
            "that a mapping or a variable names, and it has none of that name. API names are "
            "wanted, not labels; custom objects end in __c. An object that the connection's user "
            "may not read looks the same."
        ),
        wrong="SOLUTIONS_OBJECT: Microsoft Solution",
        right="SOLUTIONS_OBJECT: Microsoft_Solution__c",
    ),
    Code(
        code="M041",
        title="The org has no such field",
        why=(
            "`cosell check --against ENV` asked the Salesforce of that environment for the fields "
            "of an object, and a row of a mapping names one that is not among them. Make the "
            "field, give the connection's user the right to read it, or set the variable that "
            "names it: cosell env set NAME VALUE."
        ),
        wrong="DEAL_VALUE_FIELD: Deal_Value_c",
        right="DEAL_VALUE_FIELD: Deal_Value__c",
    ),
    Code(
        code="M042",
        title="The field may be read, but not written",
        why=(
            "The org says that the connection's user may not change a field which a mapping "
            "writes. Give the user the right to edit it. A formula or roll-up can never be "
            "written: it is sent, and what Microsoft says of it is left there; a row that says "
            "`direction: right_to_left` says so itself."
        ),
        wrong="- { left: details.dealValue, right: Calculated_Value__c }",
        right="- { left: details.dealValue, right: Calculated_Value__c, direction: right_to_left }",
    ),
    Code(
        code="M043",
        title="The org has no such stage",
        why=(
            "A variable names a stage of opportunities, and the org has no active stage of that "
            "name. Stages are compared letter by letter."
        ),
        wrong="ON_HOLD_STAGE: On Hold",
        right="ON_HOLD_STAGE: Prospecting",
    ),
    Code(
        code="M044",
        title="A value does not come back equal",
        why=(
            "`cosell check --against ENV` sends sample values of each row's type to the right and "
            "back, as the org's field would keep them: rounded to its scale, held to its length, "
            "to its list of values. What does not come back equal would be changed or refused in "
            "every sync. A warning."
        ),
        wrong="- { left: details.dealValue, right: Whole_Euros__c, type: money }",
        right="- { left: details.dealValue, right: Amount, type: money }",
    ),
)


def known() -> Mapping[str, Code]:
    """All problem codes, by code."""
    return dict(sorted({**codes(), **{one.code: one for one in _LIVE}}.items()))


def page_of(page: Code) -> str:
    """The page of a code, for a terminal."""
    parts = [f"{page.code}  {page.title}", "", page.why.strip()]
    for heading, example in (("Wrong:", page.wrong), ("Right:", page.right)):
        if example:
            parts += ["", heading, "", *(f"    {line}" for line in example.rstrip().splitlines())]
    return "\n".join(parts)


def page_json(page: Code) -> dict[str, str | None]:
    """The page of a code, as `explain --json` prints it."""
    return {
        "code": page.code,
        "title": page.title,
        "why": page.why.strip(),
        "wrong": page.wrong,
        "right": page.right,
    }
