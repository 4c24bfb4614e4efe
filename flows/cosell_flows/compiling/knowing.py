"""What is known of the names that a flow's expressions see, before it runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cosell_definitions.model import ERROR_CLASSES, Flow, Input

from .types import (
    ANY,
    INTEGER,
    LIST,
    MOMENT,
    NULL,
    TEXT,
    Type,
    either,
    list_of,
    of_schema,
    of_variable,
    record_of,
    text_among,
)
from .viewing import ProjectView

RUN = record_of({"id": TEXT, "flow": TEXT, "now": MOMENT})
STATUS = text_among(("succeeded", "partial", "skipped", "failed", "cancelled", "running"))
ERROR = record_of(
    {
        "class": text_among(ERROR_CLASSES),
        "code": either(TEXT, NULL),
        "message": TEXT,
        "hint": either(TEXT, NULL),
        "step": either(TEXT, NULL),
        "file": either(TEXT, NULL),
        "line": either(INTEGER, NULL),
        "column": either(INTEGER, NULL),
    }
)
EVENT = record_of(
    {
        "id": TEXT,
        "name": TEXT,
        "resource_id": TEXT,
        "resource_uri": TEXT,
        "changed_at": either(MOMENT, NULL),
        "received_at": MOMENT,
    }
)
_COUNTS = record_of(dict.fromkeys(("total", "succeeded", "skipped", "failed"), INTEGER))
_ERRORS = list_of(record_of({"index": INTEGER, "error": ERROR}))

NOTHING = record_of({})  # the output of a step that only decides what comes next

# Who reads `inputs`, `env` or `steps` by a wrong name is told so elsewhere, once.


def inputs_of(flow: Flow) -> Type:
    """`inputs`, as the flow declares them."""
    return record_of(_declared(flow.inputs), besides="anything")


def answer_of(answer: Iterable[Input]) -> Type:
    """What a person answers to an `approve`; nothing that is asked for: whatever is answered."""
    fields = _declared(answer)
    return record_of(fields) if fields else ANY


def _declared(inputs: Iterable[Input]) -> dict[str, Type]:
    fields = {}
    for one in inputs:
        type_ = of_schema(one.schema)
        optional = not one.required and one.default is None
        fields[one.name] = either(type_, NULL) if optional else type_
    return fields


def variables_of(view: ProjectView) -> Type:
    """`env`, as the project declares it."""
    fields = {
        name: ANY if name in view.vague else of_variable(one)
        for name, one in view.declarations.items()
    }
    return record_of(fields, besides="anything")


def step_of(output: Type) -> Type:
    """`steps.<id>` of a step with this output."""
    return record_of({"output": output, "status": STATUS, "error": ERROR})


def loop_of(result: Type | None) -> Type:
    """The output of a `foreach`; *result*: what each item gives."""
    results = LIST if result is None else list_of(either(result.widened(), NULL))
    return record_of({"counts": _COUNTS, "results": results, "errors": _ERRORS})
