"""What operations take and give, the engine's own and those of connectors, as checks look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from cosell_connectors.model import Connector, Operation, Parameter, Shape
from cosell_definitions.model import ERROR_CLASSES

from .signatures import parameters_of
from .types import ANY, BOOLEAN, INTEGER, NULL, NUMBER, TEXT, Type, either, list_of, of, record_of
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


def _view(summary: str, takes: str, gives: str | None = None) -> OperationView:
    """An operation of the engine; both lines are written as signatures of filters are."""
    parameters = parameters_of(takes)
    fields = parameters_of(gives) if gives is not None else ()
    return OperationView(
        summary=summary,
        parameters={one.name: one.required for one in parameters},
        takes={one.name: one.type for one in parameters},
        output=tuple(one.name for one in fields) or None,
        gives=record_of({one.name: one.type for one in fields}) if fields else ANY,
    )


ENGINE: Mapping[str, Mapping[str, OperationView]] = {
    "sync": {
        "plan": _view(
            "merge two records field by field; nothing is written",
            "mapping: text, left: record, right: record, [notes: list of text or null]",
            "is_empty: boolean, left: list of text, right: list of text, notes: list of text, "
            "edits: any, echoes: any, left_moment: any, right_moment: any",
        ),
        "apply": _view(
            "write what `sync.plan` found, Partner Center first, and keep the new base",
            "plan: record",
            "written: boolean, left_version: any, left: any, right: any",
        ),
        "write": _view(
            "write fields that no row carries, with old and new told, into a left record, or into "
            "one that belongs to a right record (`of`)",
            "mapping: text, record: record, fields: record, [object: text or null], "
            "[of: record or null], [loses: record or null]",
            "version: any",
        ),
        "create": _view(
            "make the missing twin of a record from the mapping's rows and `also`, once",
            "mapping: text, side: 'left' or 'right', from: record, [also: record or null], "
            "[message: text or null]",
        ),
        "compose": _view(
            "what a new record would get from the mapping's rows; nothing is written",
            "mapping: text, side: 'left' or 'right', from: record, [also: record or null]",
        ),
        "report": _view(
            "tell the seller that the sync failed, and keep a dead letter",
            "mapping: text, error: any, [left: record or null], [right: record or null]",
        ),
        "note": _view(
            "put a line into the audit trail of a record",
            "mapping: text, right: record, message: any",
        ),
        "due": _view(
            "whether a record is worth trying, or failed lately and did not change since",
            "mapping: text, side: 'left' or 'right', record: record, [named: boolean or null]",
            "due: boolean, reason: text or null",
        ),
        "waiting": _view(
            "records that failed and are to be tried again now",
            "mapping: text",
            "left_ids: list of text, right_ids: list of text",
        ),
        "deleted": _view(
            "say of linked records that they were deleted in Salesforce; where their twins are `closed`, "
            "nothing is left to be done about it",
            "mapping: text, right_ids: list, [closed: boolean or null]",
            "count: integer",
        ),
        "follow": _view(
            "let links go over from merged records to those that survived (`from`, `to`)",
            "mapping: text, moves: list",
            "moved: list of record",
        ),
        "links": _view(
            "the links of a mapping: of some records, of all, or those of which the list `key` of what "
            "was remembered under `name` holds one of `any` (`noted`)",
            "mapping: text, [left_ids: list or null], [right_ids: list or null], [noted: record or null]",
            "links: list of record, by_left: record, by_right: record",
        ),
        "plan_rows": _view(
            "merge two lists of keys against the list both last agreed on (`base`), or against a "
            "list for each side (`left`, `right`)",
            "left: list, right: list, [base: list or record or null]",
            "agreed: list, add_left: list, remove_left: list, add_right: list, remove_right: list",
        ),
        "recall": _view(
            "what was remembered about a linked record under a name, or null",
            "mapping: text, left_id: any, name: text",
            "value: any",
        ),
        "remember": _view(
            "remember a value about a linked record under a name",
            "mapping: text, left_id: any, name: text, value: any",
        ),
        "advance_cursor": _view(
            "remember how far a list was read; never back, and nothing for null",
            "name: text, to: text or date or moment or null",
        ),
        "compare": _view(
            "what a sync of two records would write, field by field; nothing is written or kept",
            "mapping: text, left: record, right: record",
            "differences: list of record",
        ),
        "unlike": _view(
            "those of some right records that do not say what we left them saying, or are not linked",
            "mapping: text, records: list",
            "right_ids: list of text",
        ),
        "writable": _view(
            "those of some fields of the right side's object that do not compute themselves there",
            "mapping: text, object: text, fields: record",
            "fields: record, computed: list of text",
        ),
        "prune": _view(
            "let the ledger forget history, events, runs and closed letters that are old",
            "older_than_days: integer",
            "deleted: record",
        ),
        "keep": _view(
            "have records at hand that were read together, for `sync.take`, by one of their fields",
            "name: text, records: list, by: text, [many: boolean or null], [keys: list or null]",
        ),
        "take": _view(
            "a record that `sync.keep` has at hand, or null; it is gone then, unless `leave`",
            "name: text, key: any, [leave: boolean or null]",
            "value: any",
        ),
    },
    "state": {
        "get": _view("what was remembered under a name, or null", "name: text", "value: any"),
        "set": _view(
            "remember a value under a name, from run to run; null forgets it",
            "name: text, value: any",
        ),
        "turn": _view(
            "whose turn it is in a list that is shared out evenly; the same for the same `key`, "
            "also after a run that was cut off",
            "name: text, key: text, among: list",
            "value: text",
        ),
    },
    "debug": {
        "echo": OPEN,
        "fail": _view(
            "fail the first `times` attempts with `class`, then succeed",
            f"[class: {' or '.join(map(repr, ERROR_CLASSES))}], [times: integer], [message: text]",
            "attempts: integer",
        ),
    },
}


# -- connectors ---------------------------------------------------------------------------------

_ONE = of("text", "integer", "number", "boolean", "date", "moment")
# What an argument may be so that it can be written into a request.
_TAKEN: Mapping[str, Type] = {
    "text": _ONE,
    "integer": of("integer", "number", "text"),
    "number": of("integer", "number", "text"),
    "boolean": of("boolean", "text"),
    "date": of("text", "date", "moment"),
    "datetime": of("text", "date", "moment"),
    "http_date": of("text", "moment"),
    "uuid": TEXT,
    "array": of("list", "text", "integer", "number", "boolean", "date", "moment"),
    "object": of("record"),
    "csv": of("list"),
    "bytes": of(),  # no expression yields a file; only the product's own commands send any
    "any": ANY,
}


def operations_of(connector: Connector) -> dict[str, OperationView]:
    """What a connector can do, as far as a check looks at it."""
    return {
        name: OperationView(
            summary=operation.summary,
            parameters={
                one.name: one.required and one.default is None for one in operation.parameters
            },
            takes={one.name: _taken(one) for one in operation.parameters},
            output=tuple(one.name for one in operation.output) or None,
            gives=_given(operation, connector.record_of(operation)),
        )
        for name, operation in connector.operations.items()
    }


def _taken(parameter: Parameter) -> Type:
    in_body = parameter.location in ("body", "body_field", "soap_header")
    if in_body and parameter.type not in ("array", "object", "csv"):
        return ANY
    wanted = of("list") if in_body and parameter.type == "array" else _TAKEN[parameter.type]
    optional = not parameter.required or parameter.default is not None
    return Type(wanted.kinds | {"null"}) if optional and wanted.known else wanted


def records_of(connector: Connector) -> dict[str, Type]:
    """What the records of a connector hold, by kind of record, as far as it says."""
    return {
        name: of_shape(resource.record)
        for name, resource in connector.resources.items()
        if resource.record is not None
    }


_SCALARS = {"text": TEXT, "number": NUMBER, "integer": INTEGER, "boolean": BOOLEAN}


def of_shape(shape: Shape) -> Type:
    """The type of a part of an answer; whatever is in a record or a list may be null."""
    match shape.kind:
        case "record":
            return record_of({name: _nullable(one) for name, one in shape.fields.items()})
        case "list":
            return list_of(of_shape(shape.item) if shape.item is not None else ANY)
        case "any":
            return ANY
    return _SCALARS[shape.kind]


def _nullable(shape: Shape) -> Type:
    type_ = of_shape(shape)
    return either(type_, NULL) if type_.known else ANY


def _given(operation: Operation, record: Shape | None) -> Type:
    one_record = of_shape(record) if record is not None else ANY
    if not operation.output:
        return one_record
    kinds = {"items": list_of(one_record)}
    return record_of({one.name: kinds.get(one.kind, ANY) for one in operation.output})
