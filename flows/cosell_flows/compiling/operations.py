"""What the engine's own operations take and give, for checks that must not load what they do.

`running.actions` does them, and loads the ledger with them; a test keeps these lines and those in
step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from cosell_connectors.model import Connector

from .viewing import OperationView

V = TypeVar("V")


class Anything(Mapping[str, V]):
    """Knows every name, and lists none: stands for what is open, or could not be read."""

    def __init__(self, value: V) -> None:
        self._value = value

    def __getitem__(self, key: str) -> V:
        return self._value

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


OPEN = OperationView(parameters=Anything(False))
"""An operation that takes whatever it is given."""


def _view(takes: str, gives: str | None = None) -> OperationView:
    """Parameters as `name name? …`, where ? marks the optional ones; and the names given back."""
    names = {name.removesuffix("?"): not name.endswith("?") for name in takes.split()}
    return OperationView(parameters=names, output=tuple(gives.split()) if gives else None)


ENGINE: Mapping[str, Mapping[str, OperationView]] = {
    "sync": {
        "plan": _view("mapping left right notes?", "is_empty left right notes edits echoes"),
        "apply": _view("plan", "written left right"),
        "write": _view("mapping record fields"),
        "create": _view("mapping side from also? message?"),
        "compose": _view("mapping side from also?"),
        "report": _view("mapping error left? right?"),
        "note": _view("mapping right message"),
        "due": _view("mapping side record named?", "due reason"),
        "waiting": _view("mapping", "left_ids right_ids"),
        "deleted": _view("mapping right_ids", "count"),
        "links": _view("mapping left_ids? right_ids?", "links by_left by_right"),
        "plan_rows": _view(
            "left right base?", "agreed add_left remove_left add_right remove_right"
        ),
        "recall": _view("mapping left_id name", "value"),
        "remember": _view("mapping left_id name value"),
        "advance_cursor": _view("name to"),
    },
    "debug": {"echo": OPEN, "fail": _view("class? times? message?", "attempts")},
}


def operations_of(connector: Connector) -> dict[str, OperationView]:
    """What a connector can do, as far as a check looks at it."""
    return {
        name: OperationView(
            parameters={
                one.name: one.required and one.default is None for one in operation.parameters
            },
            output=tuple(one.name for one in operation.output) or None,
        )
        for name, operation in connector.operations.items()
    }
