"""Find who answers an address below /services/data/vNN.0."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from cosell_emulators.salesforce import (
    bulk_api,
    collections_api,
    composite_api,
    deploy_api,
    graph_api,
    listviews_api,
    meta_api,
    passwords_api,
    query_api,
    rows_api,
    search_api,
    tooling_api,
)
from cosell_emulators.salesforce.calls import Call, Reply, refused
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import (
    Refusal,
    SeveralMatches,
    not_found,
    refusal,
)

Handler = Callable[..., Reply]
_PART = re.compile(r"\{(\w+)\}")

_ROUTES: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    ("/", {"GET": meta_api.resources}),
    ("/limits", {"GET": meta_api.limits}),
    ("/limits/recordCount", {"GET": meta_api.record_count}),
    ("/recent", {"GET": meta_api.recent}),
    ("/query", {"GET": query_api.query}),
    ("/query/{locator}", {"GET": query_api.more}),
    ("/queryAll", {"GET": query_api.query_all}),
    ("/queryAll/{locator}", {"GET": query_api.more}),
    ("/search", {"GET": search_api.search}),
    ("/sobjects", {"GET": meta_api.objects}),
    ("/sobjects/{name}", {"GET": meta_api.basic, "POST": rows_api.create}),
    ("/sobjects/{name}/describe", {"GET": meta_api.describe}),
    ("/sobjects/{name}/describe/layouts", {"GET": meta_api.layouts}),
    ("/sobjects/{name}/updated", {"GET": meta_api.updated}),
    ("/sobjects/{name}/deleted", {"GET": meta_api.deleted}),
    ("/sobjects/{name}/listviews", {"GET": listviews_api.listed}),
    ("/sobjects/{name}/listviews/{key}", {"GET": listviews_api.one}),
    ("/sobjects/{name}/listviews/{key}/describe", {"GET": listviews_api.described}),
    ("/sobjects/{name}/listviews/{key}/results", {"GET": listviews_api.results}),
    ("/sobjects/{name}/Id", {"POST": rows_api.create_by_id}),
    (
        "/sobjects/{name}/{key}",
        {"GET": rows_api.get, "PATCH": rows_api.update, "DELETE": rows_api.delete},
    ),
    (
        "/sobjects/User/{key}/password",
        {
            "GET": passwords_api.expired,
            "POST": passwords_api.change,
            "DELETE": passwords_api.reset,
        },
    ),
    (
        "/sobjects/{name}/{field}/{value}",
        {
            "GET": rows_api.get_by_key,
            "PATCH": rows_api.upsert,
            "DELETE": rows_api.delete_by_key,
        },
    ),
    ("/composite", {"POST": composite_api.composite}),
    ("/composite/batch", {"POST": composite_api.batch}),
    ("/composite/graph", {"POST": graph_api.graphs}),
    ("/composite/tree/{name}", {"POST": graph_api.tree}),
    (
        "/composite/sobjects",
        {
            "POST": collections_api.create,
            "PATCH": collections_api.update,
            "DELETE": collections_api.delete,
        },
    ),
    (
        "/composite/sobjects/{name}",
        {"GET": collections_api.read, "POST": collections_api.read},
    ),
    ("/composite/sobjects/{name}/{field}", {"PATCH": collections_api.upsert}),
    ("/jobs/ingest", {"GET": bulk_api.ingest_jobs, "POST": bulk_api.create_ingest}),
    (
        "/jobs/ingest/{key}",
        {"GET": bulk_api.job, "PATCH": bulk_api.change_ingest, "DELETE": bulk_api.remove},
    ),
    ("/jobs/ingest/{key}/batches", {"PUT": bulk_api.upload}),
    ("/jobs/ingest/{key}/{which}", {"GET": bulk_api.ingest_results}),
    ("/jobs/query", {"GET": bulk_api.query_jobs, "POST": bulk_api.create_query}),
    (
        "/jobs/query/{key}",
        {"GET": bulk_api.job, "PATCH": bulk_api.change_query, "DELETE": bulk_api.remove},
    ),
    ("/jobs/query/{key}/results", {"GET": bulk_api.query_results}),
    ("/metadata/deployRequest", {"POST": deploy_api.deploy}),
    ("/metadata/deployRequest/{key}", {"GET": deploy_api.status}),
    ("/tooling/query", {"GET": tooling_api.query}),
    ("/tooling/query/{locator}", {"GET": query_api.more}),
    ("/tooling/sobjects", {"GET": tooling_api.objects}),
    ("/tooling/sobjects/{name}", {"POST": tooling_api.create}),
    ("/tooling/sobjects/{name}/describe", {"GET": tooling_api.describe}),
    (
        "/tooling/sobjects/{name}/{key}",
        {"GET": tooling_api.get, "PATCH": tooling_api.update, "DELETE": tooling_api.delete},
    ),
)


def _compiled(path: str) -> re.Pattern[str]:
    return re.compile(_PART.sub(r"(?P<\1>[^/]+)", path.rstrip("/")) + "/?")


_COMPILED = [(_compiled(path), handlers) for path, handlers in _ROUTES]


def answered(org: Org, call: Call) -> Reply:
    """Answer a call, refusals included, and undo what a refused call had begun."""
    try:
        with org.store.atomic():
            return _found(org, call)
    except Refusal as error:
        return refused(error)
    except SeveralMatches as several:
        return Reply(300, several.urls)


def _found(org: Org, call: Call) -> Reply:
    parts: dict[str, Any]
    known = False
    method = "GET" if call.method == "HEAD" else call.method
    # A PATCH may come as a POST that says so, for clients that cannot send PATCH.
    if method == "POST" and call.query.get("_HttpMethod"):
        method = call.query["_HttpMethod"].upper()
    for pattern, handlers in _COMPILED:
        match = pattern.fullmatch(call.path)
        if match is None:
            continue
        known = True
        if method in handlers:
            parts = {name: unquote(part) for name, part in match.groupdict().items()}
            return handlers[method](org, call, **parts)
    if not known:
        raise not_found()
    message = f"HTTP Method '{call.method}' not allowed. Allowed are {_allowed(call.path)}"
    raise refusal("METHOD_NOT_ALLOWED", message, bare=True)


def _allowed(path: str) -> str:
    found = {
        method
        for pattern, handlers in _COMPILED
        if pattern.fullmatch(path)
        for method in (*handlers, *(("HEAD",) if "GET" in handlers else ()))
    }
    return ",".join(sorted(found))
