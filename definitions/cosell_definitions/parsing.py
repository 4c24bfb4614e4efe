"""The door of this room: text in, model or problems out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from .checking import check
from .model import Flow
from .model_mappings import MappingFile
from .model_tests import FlowTests
from .nodes import Document
from .overlaying import Overlay, overlaid
from .parsing_flow import flow_of
from .parsing_mapping import mapping_of
from .parsing_settings import declarations_of, environment_of
from .parsing_tests import tests_of
from .parsing_values import Hand
from .problems import Problem, Severity
from .reading import read
from .remembering import PARSED
from .settings import Declaration, EnvironmentFile
from .shaped import Shaped
from .shaping import LETTERS

T = TypeVar("T")
Loaded = tuple[T | None, tuple[Problem, ...]]


def load_flow(
    text: str | bytes, *, file: str, draft: bool = False, overlays: Sequence[Overlay] = ()
) -> Loaded[Flow]:
    """A flow file. With problems it is None; as a *draft* it is what could be understood.

    Drafts are for checking what a flow refers to although its shape is not right yet. They are
    never run. *overlays* are laid over it in their order.
    """

    def make(root: Shaped, hand: Hand, digest: str) -> Flow | None:
        return flow_of(root, hand, content_hash=digest)

    return _load("flow", text, file, make, draft=draft, overlays=overlays)


def load_mapping(
    text: str | bytes, *, file: str, draft: bool = False, overlays: Sequence[Overlay] = ()
) -> Loaded[MappingFile]:
    """A mapping file; None with problems, unless it is wanted as a draft."""

    def make(root: Shaped, hand: Hand, digest: str) -> MappingFile | None:
        return mapping_of(root, hand, content_hash=digest)

    return _load("mapping", text, file, make, draft=draft, overlays=overlays)


def load_variables(
    text: str | bytes, *, file: str, draft: bool = False
) -> Loaded[tuple[Declaration, ...]]:
    """The declarations of a solution; None with problems, unless they are wanted as a draft."""

    def make(root: Shaped, hand: Hand, digest: str) -> tuple[Declaration, ...]:
        return declarations_of(root, hand)

    return _load("variables", text, file, make, draft=draft)


def load_environment(
    text: str | bytes, *, file: str, draft: bool = False
) -> Loaded[EnvironmentFile]:
    """An environment file; None with problems, unless it is wanted as a draft."""

    def make(root: Shaped, hand: Hand, digest: str) -> EnvironmentFile:
        return environment_of(root, hand, content_hash=digest)

    return _load("environment", text, file, make, draft=draft)


def load_tests(text: str | bytes, *, file: str, draft: bool = False) -> Loaded[FlowTests]:
    """The tests of a flow; None with problems, unless they are wanted as a draft."""

    def make(root: Shaped, hand: Hand, digest: str) -> FlowTests | None:
        return tests_of(root, hand, content_hash=digest)

    return _load("test", text, file, make, draft=draft)


def _load(
    kind: str,
    text: str | bytes,
    file: str,
    make: Callable[[Shaped, Hand, str], T | None],
    *,
    draft: bool,
    overlays: Sequence[Overlay] = (),
) -> Loaded[T]:
    laid = tuple((overlay.place.file, overlay.content_hash) for overlay in overlays)
    return PARSED.made_of(
        text,
        (kind, file, draft, laid),
        lambda: _parsed(kind, text, file, make, draft=draft, overlays=overlays),
    )


def _parsed(
    kind: str,
    text: str | bytes,
    file: str,
    make: Callable[[Shaped, Hand, str], T | None],
    *,
    draft: bool,
    overlays: Sequence[Overlay],
) -> Loaded[T]:
    document, misfits = _laid_over(read(text, file=file), overlays)
    shaped, problems = check(document, kind)
    problems = (*misfits, *problems)
    if shaped is None:
        return None, _in_order(problems)
    hand = Hand(letter=LETTERS[kind], file=file)
    made = make(shaped, hand, document.content_hash)
    found = _in_order((*problems, *hand.problems))
    faulty = any(problem.severity is Severity.ERROR for problem in found)
    return (None if faulty and not draft else made), found


def _laid_over(
    document: Document, overlays: Sequence[Overlay]
) -> tuple[Document, tuple[Problem, ...]]:
    """The document with every overlay on it; its hash then tells which ones."""
    misfits: list[Problem] = []
    for overlay in overlays:
        if document.root is not None:
            root, found = overlaid(document.root, overlay)
            both = f"{document.content_hash} {overlay.content_hash}"
            digest = hashlib.sha256(both.encode()).hexdigest()
            document = replace(document, root=root, content_hash=digest)
            misfits += found
    return document, tuple(misfits)


def _in_order(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Each problem once, from the top of the file to its end.

    Where braces cannot stand at all, that they stand there without quotes is not worth saying.
    """
    refused = {it.place[:3] for it in problems if it.code != "Y001"}
    once = {
        (it.place, it.code, it.message): it
        for it in problems
        if it.code != "Y001" or it.place[:3] not in refused
    }
    return tuple(sorted(once.values(), key=lambda it: (it.place.line, it.place.column, it.code)))
