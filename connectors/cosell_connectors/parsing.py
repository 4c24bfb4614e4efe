"""Turn a connector file into a `Connector`, or into every problem it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cosell_definitions.checking import check
from cosell_definitions.problems import Problem, Severity, Unsound
from cosell_definitions.reading import read
from cosell_definitions.remembering import PARSED

from .judging import judge
from .model import (
    Answer,
    Auth,
    Budget,
    Connector,
    Count,
    Cursor,
    Elements,
    ErrorRule,
    ErrorRules,
    Fixed,
    Only,
    Operation,
    OutputField,
    Paging,
    Parameter,
    RateLimit,
    Recover,
    Resource,
    ResourceCall,
    Rows,
    Shape,
    Soap,
    Stop,
    Webhook,
)

_DURATION = re.compile(r"(\d+)(ms|s|m|h)")
_SHARE = re.compile(r"(\d{1,3})\s*%")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}

Tree = Mapping[str, Any]  # a part of a connector file whose shape has been checked


def parse(text: str | bytes, *, file: str) -> tuple[Connector | None, tuple[Problem, ...]]:
    """The connector in *text*, if it is sound, and every problem with it."""
    return PARSED.made_of(text, ("connector", file), lambda: _parsed(text, file))


def _parsed(text: str | bytes, file: str) -> tuple[Connector | None, tuple[Problem, ...]]:
    document = read(text, file=file)
    shaped, problems = check(document, "connector")
    if shaped is None or any(one.severity is Severity.ERROR for one in problems):
        return None, problems
    connector = _connector(shaped.plain(), content_hash=document.content_hash)
    problems += judge(connector, shaped, folder=_folder(file))
    sound = not any(one.severity is Severity.ERROR for one in problems)
    return connector if sound else None, problems


def load(path: Path, *, file: str | None = None) -> Connector:
    """The connector in the file at *path*; raises Unsound with every problem."""
    connector, problems = parse(path.read_bytes(), file=file or path.as_posix())
    if connector is None:
        raise Unsound(problems)
    return connector


def _folder(file: str) -> str | None:
    """The name of the folder, where the file lies as connectors do: <name>/connector.yaml."""
    parts = Path(file).parts
    return parts[-2] if len(parts) > 1 and parts[-1] == "connector.yaml" else None


def _connector(tree: Tree, *, content_hash: str) -> Connector:
    return Connector(
        name=tree["id"],
        title=tree["title"],
        description=tree.get("description", ""),
        base_url=tree.get("base_url"),
        base_path=tree.get("base_path", ""),
        settings={name: one or "" for name, one in tree.get("settings", {}).items()},
        auth=tuple(_auth(one) for one in tree.get("auth", ())),
        headers=tree.get("headers", {}),
        unique_headers=tuple(tree.get("unique_headers", ())),
        max_url=tree.get("max_url"),
        operations={name: _operation(name, one) for name, one in tree["operations"].items()},
        resources={name: _resource(name, one) for name, one in tree.get("resources", {}).items()},
        errors=_errors(tree.get("errors", {})),
        rate_limit=_rate_limit(tree["rate_limit"]) if "rate_limit" in tree else None,
        webhook=_webhook(tree["webhook"]) if "webhook" in tree else None,
        content_hash=content_hash,
    )


def _auth(tree: Tree) -> Auth:
    return Auth(
        type=tree["type"],
        when=tree.get("when"),
        token_url=tree.get("token_url"),
        token_path=tree.get("token_path"),
        token_body=tree.get("token_body", "form"),
        fields=tree.get("fields", {}),
        audience=tree.get("audience"),
        audience_parameter=tree.get("audience_parameter"),
        scope=tree.get("scope"),
        client_secret_in=tree.get("client_secret_in", "body"),
        header=tree.get("header", "Authorization"),
        lifetime=_duration(tree.get("lifetime")),
    )


def _operation(name: str, tree: Tree) -> Operation:
    always = tree.get("always", {})
    return Operation(
        name=name,
        summary=tree["summary"],
        method=tree["method"],
        path=tree["path"],
        effect=tree["effect"],
        idempotent=tree.get("idempotent", tree["effect"] == "read"),
        base_path=tree.get("base_path"),
        parameters=tuple(_parameter(key, one) for key, one in tree.get("parameters", {}).items()),
        fixed=Fixed(
            query=always.get("query", {}),
            header=always.get("header", {}),
            body=always.get("body", {}),
            soap_header=always.get("soap_header", {}),
        ),
        output=tuple(_output(key, one) for key, one in tree.get("output", {}).items()),
        record=_record(tree.get("record")),
        paging=_paging(tree["paging"]) if "paging" in tree else None,
        recover=tuple(_recover(one) for one in tree.get("recover", ())),
        rows=Rows(**tree["rows"]) if "rows" in tree else None,
        soap=Soap(**tree["soap"]) if "soap" in tree else None,
        answer=_answer(tree),
    )


def _answer(tree: Tree) -> Answer | None:
    """SOAP is answered in XML, whatever the file adds to that."""
    said = tree.get("answer", {})
    kind = said.get("as", "xml" if "soap" in tree else None)
    if kind is None:
        return None
    return Answer(
        kind=kind,
        lists=tuple(said.get("lists", ())),
        booleans=tuple(said.get("booleans", ())),
    )


def _parameter(name: str, tree: Tree) -> Parameter:
    location = tree["in"]
    default = tree.get("default")
    in_body = location in {"body_field", "soap_header"}
    return Parameter(
        name=name,
        location=location,
        wire_name=tree.get("name", f"/{name}" if in_body else name),
        required=tree.get("required", default is None),
        type=tree.get("type", "any" if in_body else "text"),
        default=default,
        format=tree.get("format"),
        escape=tree.get("escape"),
        max_items=tree.get("max_items"),
        filename=tree.get("filename"),
        null_as=tree.get("null_as", ""),
        elements=_elements(tree["elements"]) if "elements" in tree else None,
        addresses=tree.get("addresses", {}),
        also=tree.get("also"),
        description=tree.get("description", ""),
    )


def _elements(tree: Tree) -> Elements:
    return Elements(
        first=tuple(tree.get("first", ())),
        nulls=tree.get("nulls"),
        nil=tuple(tree.get("nil", ())),
        namespace=tree.get("namespace"),
    )


def _output(name: str, written: str | Tree) -> OutputField:
    match written:
        case {"value": pointer}:
            return OutputField(name=name, kind="value", pointer=pointer)
        case {"newest": pointer}:
            return OutputField(name=name, kind="newest", pointer=pointer)
        case _:
            return OutputField(name=name, kind="items", pointer="")


def _paging(tree: Tree) -> Paging:
    stop, only = tree.get("stop"), tree.get("only")
    return Paging(
        items=tree["items"],
        next=_following(tree),
        stop=Stop(field=stop["field"], before=stop["before"]) if stop else None,
        only=Only(field=only["field"], among=only["among"]) if only else None,
    )


def _following(tree: Tree) -> str | Cursor | Count:
    match tree:
        case {"next": str(link)}:
            return link
        case {"cursor": cursor}:
            ends = tuple(str(one) for one in cursor.get("end", ()))
            return Cursor(
                at=cursor.get("at"),
                header=cursor["header"].lower() if "header" in cursor else None,
                parameter=cursor["parameter"],
                end=ends,
            )
        case {"count": count}:
            by = count["by"]
            first = count.get("first", 1 if by == "page" else 0)
            return Count(parameter=count["parameter"], by=by, first=first)
        case _:
            return ""  # judging says that a way is missing


def _rate_limit(tree: Tree) -> RateLimit:
    budget = tree.get("budget")
    return RateLimit(
        concurrent=tree["concurrent"],
        calls=tree.get("calls"),
        per=_duration(tree.get("per")) or timedelta(minutes=1),
        budget=Budget(
            header=budget["header"].lower(),
            name=budget["name"],
            reserve=share(budget.get("reserve", "20%")) or 0.0,
        )
        if budget
        else None,
    )


def _recover(tree: Tree) -> Recover:
    return Recover(
        operation=tree["ask"],
        candidates=tree.get("look_in"),
        match=tree.get("match", {}),
        holds={pointer: tuple(values) for pointer, values in tree.get("holds", {}).items()},
        arguments=tree.get("with", {}),
        if_argument=tree.get("when"),
        since_parameter=tree.get("since"),
        window=_duration(tree.get("window")) or timedelta(minutes=5),
    )


VERBS = ("get", "create", "update", "upsert")


def _resource(name: str, tree: Tree) -> Resource:
    calls = {verb: _call(tree[verb]) for verb in VERBS if verb in tree}
    return Resource(
        name=name,
        key=tree["key"],
        updatable=tuple(tree["updatable"]) if "updatable" in tree else None,
        record=_shape(tree["record"]) if "record" in tree else None,
        **calls,
    )


def _record(written: str | Tree | None) -> str | Shape | None:
    return _shape(written) if isinstance(written, Mapping) else written


def _shape(written: Any) -> Shape:
    match written:
        case str(kind):
            return Shape(kind=kind)  # type: ignore[arg-type] # the schema knows them
        case [item]:
            return Shape(kind="list", item=_shape(item))
        case _:
            fields = {name: _shape(one) for name, one in written.items()}
            return Shape(kind="record", fields=fields)


def _call(tree: Tree) -> ResourceCall:
    return ResourceCall(
        operation=tree["operation"],
        object_parameter=tree.get("object"),
        id_parameter=tree.get("id"),
        key_field_parameter=tree.get("key_field"),
        body_parameter=tree.get("body"),
        version_parameter=tree.get("version"),
        fields_parameter=tree.get("fields"),
        style=tree.get("style", "object"),
        new_id=tree.get("new_id"),
        gives=tree.get("gives", {}),
        makes=tuple(tree.get("makes", ())),
    )


def _errors(tree: Tree) -> ErrorRules:
    return ErrorRules(
        code=tuple(tree.get("code", ())),
        message=tuple(tree.get("message", ())),
        field=tuple(tree.get("field", ())),
        record=tuple(tree.get("record", ())),
        request_id=tuple(name.lower() for name in tree.get("request_id", ())),
        rules=tuple(
            ErrorRule(
                error_class=one["class"],
                statuses=tuple(one.get("status", ())),
                codes=tuple(one.get("code", ())),
            )
            for one in tree.get("classes", ())
        ),
    )


def _webhook(tree: Tree) -> Webhook:
    return Webhook(
        signature_headers=tuple(tree["signature"]["headers"]),
        scheme=tree["signature"]["scheme"],
        certificate_url_header=tree["certificate_url_header"],
        algorithm_header=tree["algorithm_header"],
        issuer=tree["issuer"],
        certificate_hosts=tuple(tree["certificate_hosts"]),
        issuer_hosts=tuple(tree.get("issuer_hosts", ())),
        events=tuple(tree["events"]),
        name=tree["event"]["name"],
        resource_uri=tree["event"]["resource_uri"],
        changed_at=tree["event"]["changed_at"],
        dedupe=tuple(tree["dedupe"]),
    )


def share(text: str) -> float | None:
    """What part of the whole `20%` is, or nothing where it is no share."""
    matched = _SHARE.fullmatch(text.strip())
    return int(matched[1]) / 100 if matched and int(matched[1]) <= 100 else None


def _duration(text: str | None) -> timedelta | None:
    matched = _DURATION.fullmatch(text) if text else None
    return timedelta(**{_UNITS[matched[2]]: int(matched[1])}) if matched else None
