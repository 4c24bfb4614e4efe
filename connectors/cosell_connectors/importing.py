"""Make the first draft of a connector from an OpenAPI file, 2 or 3. Pure.

What the file cannot tell is guessed, and every guess says so in a comment: which writes may be sent
twice, how lists go on, what an error looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cosell_definitions.problems import Problem, Severity
from cosell_definitions.reading import read

from .describing import Described, Part
from .drafting import ConnectorDraft, OperationDraft, one_line, snake, text_of
from .importing_auth import auth_of
from .importing_lists import errors_of, list_comments, output_of
from .importing_parameters import Parameters

METHODS = ("get", "head", "post", "put", "patch", "delete")
# It is no definition, but what one is made from: those of large systems are larger.
_MOST = 16 * 1024 * 1024
_HOLE = re.compile(r"\{([^{}]*)\}")
# These may be sent twice, as HTTP has it; whether this system keeps to that is for people to say.
_REPEATABLE = frozenset({"put", "delete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file."""

    name: str
    text: str
    operations: int
    left_out: tuple[str, ...]


def imported(
    content: bytes, *, file: str, name: str | None = None
) -> tuple[Imported | None, tuple[Problem, ...]]:
    """The first draft made from *content*, if one can be made, and every problem with the file."""
    # Tabs may stand between the values of a JSON file, and may not in YAML; columns stay the same.
    is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    plain = content.replace(b"\t", b" ") if is_json else content
    described = Described(read(plain, file=file, most=_MOST))
    _check_version(described)
    draft = None if described.problems else _draft(described, name)
    problems = tuple(sorted(described.problems, key=lambda one: (one.place.line, one.place.column)))
    if draft is None or any(one.severity is Severity.ERROR for one in problems):
        return None, problems
    made = Imported(
        name=draft.name,
        text=text_of(draft, source=file.rsplit("/", 1)[-1]),
        operations=len(draft.operations),
        left_out=tuple(draft.left_out),
    )
    return made, problems


def _check_version(described: Described) -> None:
    if described.problems:
        return
    root = described.root
    two, three = root.at("swagger").text, root.at("openapi").text
    if not (two.startswith("2") or three.startswith("3")):
        found = root.at("swagger") or root.at("openapi")
        described.says(
            "C030",
            found.place if found else described.place,
            f"this is OpenAPI {two or three}, which is not known here"
            if found
            else 'this is no OpenAPI file: it says neither `openapi: 3.…` nor `swagger: "2.0"`',
            "give an OpenAPI file of version 2 or 3, in JSON or YAML",
        )
    elif not any(True for _ in root.at("paths").entries()):
        described.says(
            "C032", described.place, "the file has no paths", "give a file that has operations"
        )


def _draft(described: Described, name: str | None) -> ConnectorDraft | None:
    root = described.root
    left_out: list[str] = []
    operations = list(_operations(root, left_out))
    if not operations:
        described.says(
            "C032",
            root.at("paths").place,
            "no operation of the file can be imported",
            "; ".join(left_out[:3]) or "give a file that has operations",
        )
        return None
    title = one_line(root.at("info", "title").text) or "A system"
    comments: list[str] = []
    auth = auth_of(root, comments)
    base_url = _base_url(root, comments)
    return ConnectorDraft(
        name=name or snake(title)[:40].strip("_"),
        title=title,
        description=_sentence(root.at("info", "description").text),
        base_url=base_url,
        auth=auth,
        operations=operations,
        errors=errors_of(root),
        comments=comments,
        left_out=left_out,
    )


def _base_url(root: Part, comments: list[str]) -> str | None:
    """The address in the file; where it has holes, each connection sets its own."""
    host, schemes = root.at("host").text, [one.text for one in root.at("schemes").items()]
    if host:
        scheme = "http" if schemes and "https" not in schemes else "https"
        url = f"{scheme}://{host}{root.at('basePath').text}"
    else:
        url = next((one.at("url").text for one in root.at("servers").items()), "")
    plain = re.fullmatch(r"https?://[^?#\s{}]+", url)
    if url and plain is None:
        comments.append(f"The address in the file is {url}: each connection sets its own base_url.")
    return url.rstrip("/") if plain else None


def _operations(root: Part, left_out: list[str]) -> Iterator[OperationDraft]:
    taken: set[str] = set()
    for path, _, item in root.at("paths").entries():
        for method, _, operation in item.entries():
            if method.lower() in METHODS:
                draft = _operation(path, method.lower(), item, operation, left_out)
                if draft is not None:
                    yield _unique(draft, taken)
            elif method.lower() in {"options", "trace"}:
                left_out.append(f"{method.upper()} {path}: a method that is never needed here")


def _operation(
    path: str, method: str, item: Part, operation: Part, left_out: list[str]
) -> OperationDraft | None:
    parameters = Parameters(item, operation, holes=_HOLE.findall(path))
    if parameters.obstacle is not None:
        left_out.append(f"{method.upper()} {path}: {parameters.obstacle}")
        return None
    if method in {"get", "head"} and parameters.has_body:
        left_out.append(f"{method.upper()} {path}: a body where HTTP has none")
        return None
    whole = _HOLE.sub(lambda hole: f"{{{parameters.hole(hole[1])}}}", path)
    shown = re.split(r"[?#]", whole, maxsplit=1)[0].replace(" ", "%20")
    reads = method in {"get", "head"}
    answer = _answer(operation)
    output = output_of(answer) if reads else {}
    comments = list(parameters.comments)
    if shown != whole:
        comments.append(f"The file says {path}; what follows ? or # is no part of a path.")
    if reads:
        comments += list_comments(answer, parameters.queries)
    summary = operation.at("summary").text or _sentence(operation.at("description").text)
    return OperationDraft(
        name=snake(operation.at("operationId").text or f"{method} {path}"),
        summary=summary or f"{method.upper()} {path}",
        method=method.upper(),
        path=shown if shown.startswith("/") else f"/{shown}",
        effect="read" if reads else "write",
        idempotent=None if reads else method in _REPEATABLE,
        parameters=parameters.drafts,
        output=output,
        comments=comments,
    )


def _answer(operation: Part) -> Part:
    """The schema of the answer that goes well."""
    for status, _, response in operation.at("responses").entries():
        if status.startswith("2"):
            content = next(
                (
                    media
                    for kind, _, media in response.at("content").entries()
                    if "json" in kind.lower()
                ),
                None,
            )
            return content.at("schema") if content is not None else response.at("schema")
    return operation.at("responses", "2xx")


def _unique(draft: OperationDraft, taken: set[str]) -> OperationDraft:
    name, number = draft.name, 2
    while name in taken:
        name, number = f"{draft.name}_{number}", number + 1
    taken.add(name)
    if name == draft.name:
        return draft
    return replace(draft, name=name)


def _sentence(text: str) -> str:
    """The first sentence of *text*."""
    line = one_line(re.sub(r"<[^>]+>", " ", text), longest=1000)
    return one_line(re.split(r"(?<=[.!?]) ", line, maxsplit=1)[0])
