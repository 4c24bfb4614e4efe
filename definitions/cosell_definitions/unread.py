"""Tell of braces in files where nothing evaluates them: connectors, environments, declarations. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .nodes import Node, scalars_in
from .problems import Problem, Severity

CODES = {"connector": "C029", "environment": "V016", "variables": "V016"}
_FOR_PEOPLE = frozenset(
    {"title", "summary", "description", "display_name", "hint", "help", "label"}
)
_HINTS = {
    "connector": "what changes from call to call is a parameter; what differs from customer to customer"
    " is a setting: a name in single braces, as in {instance}",
    "environment": "write the value itself; {{ }} is read in flows and mappings",
    "variables": "write the value itself; {{ }} is read in flows and mappings",
}


def braces_in_vain(root: Node, kind: str) -> Iterator[Problem]:
    """Every value with braces that stay as they are."""
    if kind not in CODES:
        return
    for node in scalars_in(root, but=_FOR_PEOPLE):
        if "{{" in node.text and not node.faulty:
            yield Problem(
                code=CODES[kind],
                place=node.place,
                message=f"nothing evaluates braces in a file of this kind: {node.text!r} stays as it is",
                hint=_HINTS[kind],
                severity=Severity.ERROR if kind == "connector" else Severity.WARNING,
            )
