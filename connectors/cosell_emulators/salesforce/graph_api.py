"""Rows that belong together: trees of new records, and graphs of calls, each all or nothing.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph-introduction.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cosell_emulators import exact_json
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.composite_api import HALTED, named, shown, together
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Problem, Refusal, refusal
from cosell_emulators.salesforce.schema import ObjectType

_MOST_GRAPHS, _MOST_NODES, _MOST_FAILED = 75, 500, 14
# How long a chain of references may be in a graph, and how many kinds of calls there may be in it.
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph-limits.html
_LONGEST_CHAIN, _MOST_KINDS = 15, 15
_REFERENCE = re.compile(r"@\{([^}.\[]+)")
_MOST_RECORDS, _DEEPEST = 200, 5
_ROW_CALL = re.compile(r"(?:/services/data)?/v\d+\.\d/sobjects/(\w+)(/[^/]+(?:/[^/]+)?)?/?")


class _RolledBack(Exception):
    """Something failed, and all were to be done or none."""


@dataclass(frozen=True, slots=True)
class _Sapling:
    """One record of a tree, and what hangs below it."""

    kind: ObjectType
    reference: str
    body: dict[str, Any]
    parent: tuple[str, str] | None


def graphs(org: Org, call: Call) -> Reply:
    """POST /composite/graph."""
    asked = call.object().get("graphs")
    if not isinstance(asked, list) or not asked:
        raise refusal("JSON_PARSER_ERROR", "graphs is required", bare=True)
    for graph in asked:
        named(graph.get("compositeRequest") if isinstance(graph, dict) else None)
        _only_rows(graph["compositeRequest"])
        _not_too_deep(graph["compositeRequest"])
    _not_too_many_kinds([part for graph in asked for part in graph["compositeRequest"]])
    nodes = sum(len(graph["compositeRequest"]) for graph in asked)
    if len(asked) > _MOST_GRAPHS or nodes > _MOST_NODES:
        message = f"At most {_MOST_GRAPHS} graphs and {_MOST_NODES} nodes are allowed"
        raise refusal("LIMIT_EXCEEDED", message, bare=True)
    answers: list[dict[str, Any]] = []
    failed = 0
    for graph in asked:
        parts = graph["compositeRequest"]
        if failed > _MOST_FAILED:
            replies, good = {part["referenceId"]: Reply(400, HALTED) for part in parts}, False
        else:
            replies, good = together(org, call, parts)
        failed += not good
        answers.append(
            {
                "graphId": graph.get("graphId"),
                "graphResponse": {"compositeResponse": [shown(k, r) for k, r in replies.items()]},
                "isSuccessful": good,
            }
        )
    return Reply(200, {"graphs": answers})


def _only_rows(parts: list[dict[str, Any]]) -> None:
    """Refuse parts that are no calls of one row: a graph has no queries and no collections."""
    for part in parts:
        found = _ROW_CALL.fullmatch(urlsplit(part["url"]).path)
        allowed = "POST" if found is not None and found[2] is None else "DELETE GET PATCH"
        if found is None or part["method"].upper() not in allowed.split():
            message = f"{part['method']} {part['url']} is not supported in a composite graph"
            raise refusal("INVALID_INPUT", message, bare=True)


def _not_too_deep(parts: list[dict[str, Any]]) -> None:
    """Refuse a graph in which one call waits for the next too often."""
    depth: dict[str, int] = {}
    for part in parts:
        said = f"{part['url']} {exact_json.dumps(part.get('body'))}"
        before = [depth.get(name, 0) for name in _REFERENCE.findall(said)]
        depth[part["referenceId"]] = 1 + max(before, default=0)
    if max(depth.values(), default=0) > _LONGEST_CHAIN:
        message = f"The graph is deeper than {_LONGEST_CHAIN}"
        raise refusal("LIMIT_EXCEEDED", message, bare=True)


def _not_too_many_kinds(parts: list[dict[str, Any]]) -> None:
    """Refuse calls that do too many different things, to objects or in methods."""
    found = (_ROW_CALL.fullmatch(urlsplit(part["url"]).path) for part in parts)
    objects = (match[1].lower() if match is not None else "" for match in found)
    kinds = set(zip((part["method"].upper() for part in parts), objects, strict=True))
    if len(kinds) > _MOST_KINDS:
        message = f"The payload has more than {_MOST_KINDS} different nodes"
        raise refusal("LIMIT_EXCEEDED", message, bare=True)


def tree(org: Org, call: Call, name: str) -> Reply:
    """POST /composite/tree/X."""
    records = call.object().get("records")
    if not isinstance(records, list) or not records:
        raise refusal("JSON_PARSER_ERROR", "records is required", bare=True)
    saplings = list(_walk(org, org.kind(name), records, None, depth=1))
    if len(saplings) > _MOST_RECORDS:
        message = f"The request exceeds the limit of {_MOST_RECORDS} records"
        raise refusal("LIMIT_EXCEEDED", message, bare=True)
    ids: dict[str, str] = {}
    wrong: list[dict[str, Any]] = []
    try:
        with org.store.atomic():
            for sapling in saplings:
                _plant(org, call, sapling, ids, wrong)
            if wrong:
                raise _RolledBack
    except _RolledBack:
        return Reply(400, {"hasErrors": True, "results": wrong})
    results = [{"referenceId": key, "id": row_id} for key, row_id in ids.items()]
    return Reply(201, {"hasErrors": False, "results": results})


def _plant(
    org: Org,
    call: Call,
    sapling: _Sapling,
    ids: dict[str, str],
    wrong: list[dict[str, Any]],
) -> None:
    body = dict(sapling.body)
    if sapling.parent is not None:
        lookup, reference = sapling.parent
        if reference not in ids:
            return  # its parent failed and says why
        body[lookup] = ids[reference]
    try:
        ids[sapling.reference] = org.writer.create(sapling.kind, body, org.doing(call)).id
    except Refusal as error:
        errors = [problem.as_result() for problem in error.problems]
        wrong.append({"referenceId": sapling.reference, "errors": errors})


def _walk(
    org: Org,
    kind: ObjectType,
    records: list[Any],
    parent: tuple[str, str] | None,
    *,
    depth: int,
) -> Iterator[_Sapling]:
    """Go through a tree from its roots, parents before children."""
    if depth > _DEEPEST:
        message = f"Trees may not be deeper than {_DEEPEST} levels"
        raise refusal("LIMIT_EXCEEDED", message, bare=True)
    for record in records:
        attributes = record.get("attributes") if isinstance(record, dict) else None
        attributes = attributes if isinstance(attributes, dict) else {}
        reference = attributes.get("referenceId")
        if (
            not isinstance(reference, str)
            or str(attributes.get("type", "")).lower() != kind.name.lower()
        ):
            problem = Problem("INVALID_INPUT", "Include a type and a reference ID for each record")
            raise Refusal(problem)
        children = {key: value for key, value in record.items() if _is_branch(value)}
        plain = {key: value for key, value in record.items() if key not in children}
        yield _Sapling(kind, reference, plain, parent)
        for name, branch in children.items():
            child = next(
                (
                    c
                    for c in org.store.schema.children_of(kind)
                    if (c.relationship or "").lower() == name.lower()
                ),
                None,
            )
            if child is None:
                message = f"No such relationship '{name}' on sobject of type {kind.name}"
                raise refusal("INVALID_FIELD", message)
            owner = org.store.schema[child.object]
            below = branch["records"]
            yield from _walk(org, owner, below, (child.field, reference), depth=depth + 1)


def _is_branch(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)
