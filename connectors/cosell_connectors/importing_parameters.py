"""The parameters of one operation of an OpenAPI file, as those of a connector file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .describing import Part
from .drafting import one_line, snake

# The client sends these itself.
_OURS = frozenset({"authorization", "content-type", "accept", "user-agent", "content-length"})
_FORMATS = {"date": "date", "date-time": "datetime", "uuid": "uuid", "guid": "uuid"}


class Parameters:
    """What an operation takes; `obstacle` says why it cannot be called from a connector."""

    def __init__(self, item: Part, operation: Part, *, holes: Sequence[str]) -> None:
        self.drafts: dict[str, dict[str, Any]] = {}
        self.comments: list[str] = []
        self.queries: list[str] = []
        self.obstacle: str | None = None
        self.has_body = False
        self._holes: dict[str, str] = {}
        declared = list(_merged(item, operation))
        for parameter in declared:
            self._take(parameter, holes)
        for hole in holes:
            if hole not in self._holes:
                self.comments.append(f"The file does not declare the path parameter {hole!r}.")
                self._holes[hole] = self._add(hole, {"in": "path"})
        self._take_body(operation.at("requestBody"))

    def hole(self, name: str) -> str:
        """What a place in the path is called here."""
        return self._holes[name]

    def _take(self, parameter: Part, holes: Sequence[str]) -> None:
        name, place = parameter.at("name").text, parameter.at("in").text
        if not name and place != "body":
            self.comments.append("A parameter of the file has no name.")
            return
        schema = parameter.at("schema") or parameter
        match place:
            case "path" if name in holes:
                draft = {"in": "path", **_type(schema), **_told(parameter)}
                self._holes[name] = self._add(name, draft)
            case "query":
                self.queries.append(name)
                self._add(name, self._valued(parameter, schema, {"in": "query"}), wire=name)
                self._warn_of_lists(parameter, schema, name)
            case "header" if name.lower() not in _OURS:
                self._add(name, self._valued(parameter, schema, {"in": "header"}), wire=name)
            case "cookie":
                self.comments.append(f"The cookie {name!r} is not sent.")
            case "body":
                self._body(parameter, schema)
            case "formData":
                self.obstacle = "its body is a form, and connectors send JSON"

    def _valued(self, parameter: Part, schema: Part, draft: dict[str, Any]) -> dict[str, Any]:
        draft |= _type(schema)
        default = schema.at("default")
        if default and isinstance(default.value, str | int | bool) and _fits(draft, default.value):
            draft["default"] = default.value
        elif parameter.at("required").text != "true":
            draft["required"] = False
        return draft | _told(parameter)

    def _take_body(self, body: Part) -> None:
        kinds = {kind.lower(): media for kind, _, media in body.at("content").entries()}
        media = next((one for kind, one in kinds.items() if "json" in kind), None)
        if media is not None:
            self._body(body, media.at("schema"))
        elif kinds:
            self.obstacle = f"its body is {next(iter(kinds))}, and connectors send JSON"

    def _body(self, parameter: Part, schema: Part) -> None:
        self.has_body = True
        kind = schema.at("type").text or ("object" if schema.properties() else "any")
        draft: dict[str, Any] = {"in": "body"}
        draft["type"] = kind if kind in {"object", "array"} else "any"
        if parameter.at("required").text not in {"true", ""}:
            draft["required"] = False
        fields = list(schema.properties())
        told = _told(parameter)
        if fields and not told:
            told = {"description": one_line("Fields: " + ", ".join(fields))}
        self._add("body", draft | told)

    def _warn_of_lists(self, parameter: Part, schema: Part, name: str) -> None:
        repeated = parameter.at("collectionFormat").text == "multi"
        repeated |= parameter.at("explode").text == "true"
        if schema.at("type").text == "array" and repeated:
            self.comments.append(f"{name!r} is sent with commas; the file wants it repeated.")

    def _add(self, name: str, draft: dict[str, Any], *, wire: str | None = None) -> str:
        plain = snake(name)
        unique, number = plain, 2
        while unique in self.drafts:
            unique, number = f"{plain}_{number}", number + 1
        placed = {"in": draft.pop("in")}
        if wire is not None and wire != unique:
            placed["name"] = wire
        self.drafts[unique] = placed | draft
        return unique


def _merged(item: Part, operation: Part) -> Iterator[Part]:
    """The operation's own parameters, and those of its path that it does not declare anew."""
    own = list(operation.at("parameters").items())
    declared = {(one.at("name").text, one.at("in").text) for one in own}
    for one in item.at("parameters").items():
        if (one.at("name").text, one.at("in").text) not in declared:
            yield one
    yield from own


def _type(schema: Part) -> dict[str, Any]:
    kind, form = schema.at("type").text, schema.at("format").text
    if kind in {"integer", "number", "boolean", "array"}:
        return {"type": kind}
    return {"type": _FORMATS[form]} if kind == "string" and form in _FORMATS else {}


def _fits(draft: dict[str, Any], default: str | int | bool) -> bool:
    """Whether a default is of its parameter's type; files are careless about it."""
    match draft.get("type"):
        case "boolean":
            return isinstance(default, bool)
        case "integer" | "number":
            return isinstance(default, int) and not isinstance(default, bool)
        case None:
            return isinstance(default, str) and bool(default)
        case _:
            return False


def _told(parameter: Part) -> dict[str, Any]:
    text = one_line(re.sub(r"<[^>]+>", " ", parameter.at("description").text))
    return {"description": text} if text else {}
