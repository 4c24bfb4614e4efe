"""List what an expression reads, before anything runs: names, filters, tests, functions."""

from __future__ import annotations

import functools

from cosell_definitions.freezing import dataclass
from cosell_definitions.model import Bare, Template
from cosell_definitions.remembering import Remembered

from . import syntax as s
from .expressions import compiled
from .filters import FILTERS, TESTS
from .guessing import no_such
from .values import Faulty

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that is read. `guarded`: it may be missing, because a default or a test stands by."""

    path: Path  # ("steps", "plan", "output", "is_empty")
    guarded: bool
    at: int  # offset in the text
    offsets: tuple[int, ...]  # of each part of the path
    ran: bool = False  # of a step: a test beside it has shown that it gave out something


@dataclass(frozen=True, slots=True)
class Calling:
    """A function that is called. `literal`: its first argument, where it is written out as text."""

    name: str
    at: int
    literal: str | None = None
    literal_at: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """All that one text reads and calls, with offsets."""

    references: tuple[Reference, ...]
    functions: tuple[Calling, ...]
    conditions: frozenset[str]  # parts joined by `and`, in one spelling
    sure: frozenset[Path]  # exists wherever all of it holds
    denied: frozenset[Path]  # exists wherever it does not hold
    faults: tuple[Faulty, ...] = ()  # filters and tests that there are not


def references(text: str | Template | Bare) -> tuple[Reference, ...]:
    """The names that a text with `{{ … }}`, or a bare expression, reads; raises Faulty."""
    return usage(text).references


def usage(text: str | Template | Bare) -> Usage:
    """All that a text reads and calls; raises Faulty where it cannot be read."""
    if isinstance(text, Template):
        return _usage(text.text, bare=False)
    if isinstance(text, Bare):
        return _usage(text.text, bare=True)
    return _usage(text, bare="{{" not in text)


@functools.lru_cache(maxsize=8192)
def _usage(text: str, *, bare: bool) -> Usage:
    about = "usage of a condition" if bare else "usage of a text"
    return USAGES.made_of(text, about, lambda: _looked_through(text, bare=bare))


USAGES = Remembered(room=2_000_000)


def _looked_through(text: str, *, bare: bool) -> Usage:
    finder = _Finder()
    conditions: set[str] = set()
    sure: frozenset[Path] = frozenset()
    denied: frozenset[Path] = frozenset()
    for piece in compiled(text, bare=bare).pieces:
        finder.origin = piece.at
        finder.visit(piece.syntax, frozenset())
        if bare:
            conditions |= {spelled(part) for part in conjuncts(piece.syntax)}
            sure |= shown_by(piece.syntax)
            denied |= denied_by(piece.syntax)
    return Usage(
        references=tuple(finder.found),
        functions=tuple(finder.functions),
        conditions=frozenset(conditions),
        sure=sure,
        denied=denied,
        faults=tuple(finder.faults),
    )


class _Finder:
    """Walks an expression; knows which names have been found to exist on the way."""

    def __init__(self) -> None:
        self.origin = 0
        self.found: list[Reference] = []
        self.functions: list[Calling] = []
        self.faults: list[Faulty] = []

    def visit(self, node: s.Syntax, sure: frozenset[Path]) -> None:
        """Note what *node* reads; *sure* holds the paths that a test has shown to exist."""
        if self._is_path(node, sure) or self._is_unknown(node, sure):
            return
        match node:
            case s.Read(record, key, _):
                self.visit(record, sure)
                self.visit(key, sure)
            case s.Filtered("default" | "d", value, arguments, _, _):
                self._visit_guarded(value, sure)
                for argument in arguments:  # a fallback is a guess too: a | default(b.c)
                    self._visit_guarded(argument, sure)
            case s.Tested("defined" | "undefined" | "missing" | "blank" | "empty", value, _, _):
                self._visit_guarded(value, sure)
            case s.Both(left, right, _):
                self.visit(left, sure)
                self.visit(right, sure | shown_by(left))
            case s.Either(left, right, _):
                self.visit(left, sure)
                self.visit(right, sure | denied_by(left))
            case s.Choice(condition, then, otherwise, _):
                self.visit(condition, sure)
                self.visit(then, sure | shown_by(condition))
                if otherwise is not None:
                    self.visit(otherwise, sure | denied_by(condition))
            case _:
                if isinstance(node, s.Called):
                    self.functions.append(self._calling(node))
                for child in s.children(node):
                    self.visit(child, sure)

    def _is_path(self, node: s.Syntax, sure: frozenset[Path]) -> bool:
        chain = path_of(node)
        if chain is not None:
            self._note(chain, sure, guarded=False)
        return chain is not None

    def _is_unknown(self, node: s.Syntax, sure: frozenset[Path]) -> bool:
        fault = _unknown(node, self.origin)
        if fault is None:
            return False
        self.faults.append(fault)
        first, *rest = s.children(node)
        self._visit_guarded(first, sure)  # `default` or `is defined` may have been meant
        for child in rest:
            self.visit(child, sure)
        return True

    def _calling(self, node: s.Called) -> Calling:
        at = self.origin + node.at
        match node.arguments:
            case (s.Constant(str() as literal, literal_at), *_):
                return Calling(node.name, at, literal, self.origin + literal_at)
        return Calling(node.name, at)

    def _visit_guarded(self, node: s.Syntax, sure: frozenset[Path]) -> None:
        chain = path_of(node)
        if chain is not None:
            self._note(chain, sure, guarded=True)
        elif isinstance(node, s.Read):
            # a computed key in the middle of the chain: x[y].z | default(…)
            self._visit_guarded(node.record, sure)
            self.visit(node.key, sure)
        else:
            self.visit(node, sure)

    def _note(
        self, chain: tuple[tuple[str, int], ...], sure: frozenset[Path], *, guarded: bool
    ) -> None:
        path = tuple(name for name, _ in chain)
        known = any(path[: len(one)] == one or one[: len(path)] == path for one in sure)
        ran = path[0] == "steps" and any(path[:2] == one[:2] for one in sure)
        offsets = tuple(self.origin + at for _, at in chain)
        self.found.append(Reference(path, guarded or known, offsets[0], offsets, ran))


def _unknown(node: s.Syntax, origin: int) -> Faulty | None:
    match node:
        case s.Filtered(name, _, _, _, at) if name not in FILTERS:
            return no_such("filter", name, origin + at)
        case s.Tested(name, _, _, at) if name not in TESTS:
            return no_such("test", name, origin + at)
    return None


def path_of(node: s.Syntax) -> tuple[tuple[str, int], ...] | None:
    """A chain of names with their offsets; None for anything else."""
    match node:
        case s.Name(name, at):
            return ((name, at),)
        case s.Read(record, s.Constant(str() as key, key_at), _):
            before = path_of(record)
            return (*before, (key, key_at)) if before is not None else None
    return None


def shown_by(condition: s.Syntax) -> frozenset[Path]:
    """The paths that exist wherever *condition* holds."""
    match condition:
        case s.Tested("defined", value, _, _):
            return _paths(value)
        case s.Not(value, _):
            return denied_by(value)
        case s.Both(left, right, _):
            return shown_by(left) | shown_by(right)
        case s.Compared(first, ((sign, other),), _):
            return _shown_by_comparison(first, sign, other)
        case s.Filtered("default" | "d", value, (s.Constant(fallback, _), *_), _, _):
            # a value that counts as true cannot have been the blank fallback
            return _paths(value) if not fallback else frozenset()
    return frozenset()


def _shown_by_comparison(first: s.Syntax, sign: str, other: s.Syntax) -> frozenset[Path]:
    """`x | default('') != ''`, `x | default(0) > 0`, `x.status == 'succeeded'`."""
    match first, sign, other:
        case s.Filtered("default" | "d", value, (fallback, *_), _, _), "ne", _ if _same(
            fallback, other
        ):
            return _paths(value)
        case s.Filtered("default" | "d", value, (fallback, *_), _, _), "gt", _ if _same(
            fallback, other
        ):
            return _paths(value)
        case s.Filtered("default" | "d", value, (fallback, *_), _, _), "eq", s.Constant() if (
            isinstance(fallback, s.Constant) and not _same(fallback, other)
        ):
            return _paths(value)
        case s.Read(record, s.Constant("status", _), _), "eq", s.Constant("succeeded", _):
            return _paths(record)
    return frozenset()


def _same(one: s.Syntax, other: s.Syntax) -> bool:
    return (
        isinstance(one, s.Constant) and isinstance(other, s.Constant) and one.value == other.value
    )


def denied_by(condition: s.Syntax) -> frozenset[Path]:
    """The paths that exist wherever *condition* does not hold."""
    match condition:
        case s.Tested("undefined" | "missing" | "blank" | "empty", value, _, _):
            return _paths(value)
        case s.Tested("none", s.Filtered("default" | "d", value, (s.Constant(None, _), *_))):
            return _paths(value)
        case s.Not(value, _):
            return shown_by(value)
        case s.Either(left, right, _):
            return denied_by(left) | denied_by(right)
        case s.Compared(first, (("ne", other),), at):
            return shown_by(s.Compared(first, (("eq", other),), at))
    return frozenset()


def _paths(node: s.Syntax) -> frozenset[Path]:
    chain = path_of(node)
    return frozenset({tuple(name for name, _ in chain)}) if chain is not None else frozenset()


def conjuncts(node: s.Syntax) -> tuple[s.Syntax, ...]:
    """The parts of `a and b and c`."""
    if isinstance(node, s.Both):
        return (*conjuncts(node.left), *conjuncts(node.right))
    return (node,)


def spelled(node: s.Syntax) -> str:
    """One spelling for each meaning, so that conditions can be compared."""
    match node:
        case s.Constant(value, _):
            return repr(value)
        case s.Name(name, _):
            return name
        case s.Compared(first, ((sign, other),), _) if sign in ("eq", "ne"):
            sides = sorted((spelled(first), spelled(other)))
            return f"({sides[0]} {sign} {sides[1]})"
        case s.Not(s.Compared(first, (("eq", other),), at), _):
            return spelled(s.Compared(first, (("ne", other),), at))
        case s.Not(s.Compared(first, (("ne", other),), at), _):
            return spelled(s.Compared(first, (("eq", other),), at))
        case s.Not(s.Not(value, _), _):
            return spelled(value)
    own = [str(getattr(node, name)) for name in ("name", "sign") if hasattr(node, name)]
    if isinstance(node, s.Compared):
        own += [sign for sign, _ in node.rest]
    if isinstance(node, s.Filtered | s.Called):
        own += [name for name, _ in node.options]
    inner = ",".join(spelled(child) for child in s.children(node))
    return f"{type(node).__name__}[{' '.join(own)}]({inner})"
