"""Several calls in one: composite, whose parts refer to each other, and batch, whose do not.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cosell_emulators import exact_json
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Refusal, refusal

_MOST = 25
# At most this many parts may be collections or queries.
_MOST_LARGE = 5
_LARGE = re.compile(r"/(composite/sobjects|query|queryAll)\b")
_VERSIONED = re.compile(r"(?:/services/data)?/v(\d+\.\d)(/[^?]*)(?:\?(.*))?", re.DOTALL)
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same "
        "transaction failed.",
    }
]


class _RolledBack(Exception):
    """A part failed, and all were to be done or none."""


def composite(org: Org, call: Call) -> Reply:
    """POST /composite: always 200 when the body can be understood."""
    body = call.object()
    parts = body.get("compositeRequest")
    _well_formed(parts)
    assert isinstance(parts, list)
    all_or_none = body.get("allOrNone") is True
    replies = together(org, call, parts)[0] if all_or_none else one_by_one(org, call, parts)
    return Reply(200, {"compositeResponse": [shown(key, one) for key, one in replies.items()]})


def one_by_one(org: Org, call: Call, parts: list[dict[str, Any]]) -> dict[str, Reply]:
    """Do parts in order, whatever comes of each."""
    replies: dict[str, Reply] = {}
    for part in parts:
        replies[part["referenceId"]] = done(org, call, part, replies)
    return replies


def together(org: Org, call: Call, parts: list[dict[str, Any]]) -> tuple[dict[str, Reply], bool]:
    """Do all parts or none: the first that fails says why, and all others are halted."""
    replies: dict[str, Reply] = {}
    try:
        with org.store.atomic():
            for part in parts:
                reply = replies[part["referenceId"]] = done(org, call, part, replies)
                if reply.status >= 300:
                    raise _RolledBack
    except _RolledBack:
        failed = part["referenceId"]
        names = (one["referenceId"] for one in parts)
        return {n: replies[n] if n == failed else Reply(400, HALTED) for n in names}, False
    return replies, True


def batch(org: Org, call: Call) -> Reply:
    """POST /composite/batch: every part stands alone."""
    body = call.object()
    parts = body.get("batchRequests")
    if not isinstance(parts, list) or not parts or not all(isinstance(p, dict) for p in parts):
        raise refusal("INVALID_BATCH_REQUEST", "batchRequests is required", bare=True)
    if len(parts) > _MOST:
        message = f"The batch may not have more than {_MOST} subrequests"
        raise refusal("LIMIT_EXCEEDED", message, bare=True)
    results: list[dict[str, Any]] = []
    halted = False
    for part in parts:
        if halted:
            error = {
                "errorCode": "BATCH_PROCESSING_HALTED",
                "message": "Batch processing halted per request",
            }
            results.append({"statusCode": 412, "result": [error]})
            continue
        inner = {
            "method": part.get("method"),
            "url": part.get("url"),
            "body": part.get("richInput"),
        }
        reply = done(org, call, inner, {})
        halted = body.get("haltOnError") is True and reply.status >= 400
        results.append({"statusCode": reply.status, "result": reply.body})
    failed = any(result["statusCode"] >= 400 for result in results)
    return Reply(200, {"hasErrors": failed, "results": results})


def done(org: Org, call: Call, part: Mapping[str, Any], replies: Mapping[str, Reply]) -> Reply:
    """Do one part, with what earlier parts answered put in."""
    try:
        url = str(_filled(str(part.get("url", "")), replies))
        body = _filled(part.get("body"), replies)
        given = part.get("httpHeaders")
        given = given if isinstance(given, dict) else {}
        headers = {str(name).lower(): str(value) for name, value in given.items()}
    except Refusal as error:
        return Reply(error.status, [problem.as_rest() for problem in error.problems])
    found = _VERSIONED.fullmatch(url if url.startswith("/") else f"/{url}")
    if found is None or (
        found[2].startswith(("/composite/", "/composite")) and "sobjects" not in url
    ):
        message = "The requested resource does not exist"
        return Reply(404, [{"errorCode": "NOT_FOUND", "message": message}])
    kept = ("sforce-call-options", "sforce-auto-assign", "sforce-duplicate-rule-header", "x-base")
    outer = {name: value for name, value in call.headers.items() if name in kept}
    inner = Call(
        method=str(part.get("method", "GET")).upper(),
        path=urlsplit(found[2]).path,
        version=found[1],
        session=call.session,
        query=dict(parse_qsl(found[3] or "", keep_blank_values=True)),
        headers=outer | headers,
        again=call.again,
        content=b"" if body is None else exact_json.dumps(body).encode(),
    )
    return call.again(org, inner)


def named(parts: Any) -> None:
    """Refuse parts that do not say what they do, where, and what they are called."""
    if not isinstance(parts, list) or not parts:
        raise refusal("JSON_PARSER_ERROR", "compositeRequest is required", bare=True)
    names: set[str] = set()
    for part in parts:
        wanted = ("method", "url", "referenceId")
        given = [part.get(name) for name in wanted] if isinstance(part, dict) else []
        if not given or not all(isinstance(value, str) and value for value in given):
            message = "method, url and referenceId are required for every subrequest"
            raise refusal("JSON_PARSER_ERROR", message, bare=True)
        if part["referenceId"] in names:
            message = f"Duplicate ReferenceId provided in the request: {part['referenceId']}"
            raise refusal("INVALID_INPUT", message, bare=True)
        names.add(part["referenceId"])


def _well_formed(parts: Any) -> None:
    named(parts)
    if len(parts) > _MOST:
        message = f"Limit exceeded: The maximum number of subrequests is {_MOST}."
        raise refusal("LIMIT_EXCEEDED", message, bare=True)
    if sum(1 for part in parts if _LARGE.search(str(part["url"]))) > _MOST_LARGE:
        message = f"Limit exceeded: at most {_MOST_LARGE} subrequests may be collections or queries"
        raise refusal("LIMIT_EXCEEDED", message, bare=True)


def _filled(value: Any, replies: Mapping[str, Reply]) -> Any:
    """Put what earlier parts answered in the place of @{references}."""
    if isinstance(value, dict):
        return {key: _filled(inner, replies) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, replies) for inner in value]
    if not isinstance(value, str) or "@{" not in value:
        return value
    lone = _REFERENCE.fullmatch(value)
    if lone is not None:
        return _looked_up(lone, replies)
    return _REFERENCE.sub(lambda match: str(_looked_up(match, replies)), value)


def _looked_up(match: re.Match[str], replies: Mapping[str, Reply]) -> Any:
    reply = replies.get(match[1])
    if reply is None or reply.status >= 300:
        message = f"Invalid reference specified. No value for {match[1]}{match[2]} found"
        raise refusal("PROCESSING_HALTED", message, bare=True)
    found = reply.body
    for name, place in _STEP.findall(match[2]):
        try:
            found = found[int(place)] if place else found[name]
        except (KeyError, IndexError, TypeError):
            message = (
                f"Invalid reference specified. No value for {match[1]}{match[2]} found in "
                f"{match[1]}. Provided value: {json.dumps(match[2].lstrip('.'))}"
            )
            raise refusal("PROCESSING_HALTED", message, bare=True) from None
    return found


def shown(reference: str, reply: Reply) -> dict[str, Any]:
    """Show the reply to one part."""
    hidden = ("Last-Modified",)
    headers = {name: value for name, value in reply.headers.items() if name not in hidden}
    return {
        "body": reply.body,
        "httpHeaders": headers,
        "httpStatusCode": reply.status,
        "referenceId": reference,
    }
