"""Write the first draft of a connector file as text, with a comment at every guess. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?: [A-Za-z0-9_.-]+)*|/[A-Za-z0-9_/~.-]*|\d{1,15}")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
_PATH = re.compile(r"/[\w/{}().~=,-]*")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDraft:
    """One operation as far as the file tells."""

    name: str
    summary: str
    method: str
    path: str
    effect: str
    idempotent: bool | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    output: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    comments: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorDraft:
    """A whole connector as far as the file tells."""

    name: str
    title: str
    description: str
    base_url: str | None
    auth: Sequence[Mapping[str, Any]]
    operations: Sequence[OperationDraft]
    errors: Mapping[str, Sequence[str]]
    comments: Sequence[str] = ()
    left_out: Sequence[str] = ()


def text_of(draft: ConnectorDraft, *, source: str) -> str:
    """The draft as the text of a connector.yaml."""
    lines = [
        f"# A first draft, made from {one_line(source)}. Read it through: what is guessed says so.",
        *_comments(draft.comments, ""),
        "connector: v1",
        f"id: {draft.name}",
        f"title: {scalar(draft.title)}",
    ]
    if draft.description:
        lines.append(f"description: {scalar(draft.description)}")
    if draft.base_url:
        lines.append(f"base_url: {scalar(draft.base_url)}")
    else:
        lines.append("# The file names no address: each connection sets its own base_url.")
    if draft.auth:
        lines += ["", "auth:", *(f"  - {_flow(one)}" for one in draft.auth)]
    lines += ["", "operations:"]
    for operation in draft.operations:
        lines += ["", *_operation(operation)]
    if draft.left_out:
        lines += ["", "  # Left out:", *(f"  # - {one_line(one)}" for one in draft.left_out)]
    lines += ["", *_errors(draft.errors)]
    lines += [
        "",
        "# Guessed: how many calls the system bears at once.",
        "rate_limit: { concurrent: 4 }",
    ]
    return "\n".join(lines) + "\n"


def _operation(operation: OperationDraft) -> list[str]:
    lines = [
        f"  {operation.name}:",
        f"    summary: {scalar(operation.summary)}",
        f"    method: {operation.method}",
        f"    path: {operation.path if _PATH.fullmatch(operation.path) else scalar(operation.path)}",
        f"    effect: {operation.effect}",
    ]
    if operation.idempotent is not None:
        word = "true" if operation.idempotent else "false"
        lines.append(f"    idempotent: {word} # guessed from the method")
    if operation.parameters:
        lines.append("    parameters:")
        lines += [f"      {name}: {_flow(one)}" for name, one in operation.parameters.items()]
    if operation.output:
        lines.append("    output:")
        lines += [f"      {scalar(name)}: {_flow(one)}" for name, one in operation.output.items()]
    return [*lines, *_comments(operation.comments, "    ")]


def _errors(errors: Mapping[str, Sequence[str]]) -> list[str]:
    if not errors:
        return [
            "# The file does not say what an error looks like. For example:",
            "# errors: { code: [/error/code], message: [/error/message] }",
        ]
    pointers = (f"  {name}: [{', '.join(map(scalar, some))}]" for name, some in errors.items())
    return ["# Guessed from the names in the file's answers.", "errors:", *pointers]


def _comments(comments: Sequence[str], indent: str) -> list[str]:
    return [f"{indent}# {one_line(one, longest=400)}" for one in comments]


def _flow(members: Mapping[str, Any]) -> str:
    return f"{{ {', '.join(f'{name}: {value(one)}' for name, one in members.items())} }}"


def value(one: Any) -> str:
    """A value as it stands in the file."""
    match one:
        case None:
            return "null"
        case bool():
            return "true" if one else "false"
        case int() | Decimal():
            return str(one)
        case list() | tuple():
            return f"[{', '.join(map(value, one))}]"
        case dict():
            return _flow(one)
        case _:
            return scalar(str(one))


def snake(text: str) -> str:
    """*text* as a name: small letters, digits and underscores."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    made = _SEPARATORS.sub("_", spaced.lower()).strip("_")
    return made if made[:1].isalpha() else f"x_{made}".rstrip("_")


def scalar(text: str) -> str:
    """A text as it stands in the file; in quotes where it could be taken for something else."""
    text = one_line(text)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def one_line(text: str, *, longest: int = _LONGEST_TEXT) -> str:
    """*text* in one line that is no longer than a person reads, without letters nobody sees."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else f"{shown[: longest - 1].rstrip()}…"
