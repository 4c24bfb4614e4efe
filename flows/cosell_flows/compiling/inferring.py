"""Work out what type an expression has, and complain of what cannot come out well. Pure.

Only what is sure to go wrong is a problem: of a value that may be text or null, nothing is said as
long as one of the two will do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from cosell_definitions.problems import did_you_mean

from . import syntax as s
from .advising import advice, instead_of_reading, made_alike, named, test_for
from .paths import path_text
from .types import (
    ANY,
    BOOLEAN,
    INTEGER,
    KINDS,
    LIST,
    NOTHING,
    NULL,
    NUMBER,
    TEXT,
    Type,
    among,
    constant,
    either,
    list_of,
    misspelt,
    record_of,
)

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Complaint:
    """What cannot come out well, and where in the expression."""

    code: str
    message: str
    hint: str | None
    at: int
    length: int | None = None


@dataclass(slots=True)
class Inference:
    """One look at one expression. *strict*: only true and false pass for such, as in `when`."""

    scope: Mapping[str, Type]
    call: Callable[[Inference, s.Filtered | s.Tested | s.Called], Type]  # what is called by name
    strict: bool = False
    tested: Collection[Path] = ()  # paths that a test or a default has looked after
    complaints: list[Complaint] = field(default_factory=list)

    def complain_of(
        self,
        code: str,
        node: s.Syntax,
        message: str,
        hint: str | None,
        *,
        until: s.Syntax | None = None,
    ) -> Type:
        """Note a complaint about a part of the expression; nothing more is known of its value."""
        start, end = s.start(node), s.end(until or node)
        return self.complain(code, message, hint, start, end - start if end is not None else None)

    def complain(
        self, code: str, message: str, hint: str | None, at: int, length: int | None = None
    ) -> Type:
        """Note a complaint about what stands at an offset."""
        self.complaints.append(Complaint(code, message, hint, at, length))
        return ANY

    def type_of(self, node: s.Syntax, *, guarded: bool = False) -> Type:  # noqa: C901, PLR0912
        """The type of *node*. *guarded*: it may be missing, because a default stands by."""
        match node:
            case s.Constant(value, _):
                return constant(value)
            case s.Name(name, _):
                return self.scope.get(name, ANY)
            case s.Read():
                return self._read(node, guarded=guarded)
            case s.Part():
                return self._part(node)
            case s.ListOf(items, _):
                return list_of(either(*map(self.type_of, items)) if items else NOTHING)
            case s.RecordOf(pairs, _):
                return self._record(pairs)
            case s.Arithmetic():
                return self._arithmetic(node)
            case s.Negative(value, at):
                return self._negative(value, at)
            case s.Joined(parts, _):
                for part in parts:
                    self.in_text(part)
                return TEXT
            case s.Compared():
                return self._compared(node)
            case s.Both(left, right, _) | s.Either(left, right, _):
                return self._either(left, right)
            case s.Not(value, _):
                self._decides(value)
                return BOOLEAN
            case s.Choice(condition, then, otherwise, _):
                self._decides(condition)
                chosen = self.type_of(then)
                return chosen if otherwise is None else either(chosen, self.type_of(otherwise))
            case s.Filtered() | s.Tested() | s.Called():
                return self.call(self, node)
        assert_never(node)

    # -- reading --------------------------------------------------------------------------------

    def _read(self, node: s.Read, *, guarded: bool) -> Type:
        whole = self.type_of(node.record, guarded=guarded)
        if not isinstance(node.key, s.Constant):
            return self._computed_key(whole, node)
        if isinstance(node.key.value, str):
            path = _path(node)
            guarded = guarded or (path is not None and path in self.tested)
            owner = named(node.record)
            return self.field(whole, node.key.value, owner, node.key.at, guarded=guarded)
        return self._at_number(whole, node, guarded=guarded)

    def field(self, whole: Type, name: str, owner: str, at: int, *, guarded: bool = False) -> Type:
        """The field *name* of a record; complains where there can be none."""
        if not whole.known or whole.kinds == {"null"}:
            return ANY
        if "record" in whole.kinds:
            if whole.fields is None:
                return ANY
            if name in whole.fields:
                return whole.fields[name]
            if whole.besides == "anything" or (whole.besides == "unsaid" and guarded):
                return ANY
            code = "F034" if owner.startswith("steps.") else "X011"
            near = did_you_mean(name, whole.fields)
            names = ", ".join(list(whole.fields)[:20])
            listed = f"it has: {names}" if names else "it has nothing"
            hint = f"did you mean {near!r}? {listed}" if near else listed
            return self.complain(code, f"{owner or 'this'} has no {name!r}", hint, at, len(name))
        if guarded:
            return ANY
        message = f"{owner or 'this'} is {whole}, which has no {name!r}"
        return self.complain("X011", message, instead_of_reading(whole, name, owner), at, len(name))

    def _computed_key(self, whole: Type, node: s.Read) -> Type:
        key = self.type_of(node.key)
        if not whole.may_be("record", "list", "text"):
            message = f"{path_text(node.record) or 'this'} is {whole}, which has nothing to read"
            return self.complain_of("X011", node.key, message, None)
        if whole.known and not whole.may_be("record") and not key.may_be("integer"):
            message = f"{path_text(node.record) or 'this'} is {whole}; its items have numbers"
            return self.complain("X010", message, "the first: [0], the last: [-1]", node.key.at)
        return whole.each

    def _at_number(self, whole: Type, node: s.Read, *, guarded: bool) -> Type:
        if whole.kinds and whole.kinds <= {"record", "null"}:
            names = ", ".join(whole.fields or ())
            message = f"{named(node.record) or 'this'} is a record; its fields have names"
            return self.complain_of(
                "X011", node.key, message, f"it has: {names}" if names else None
            )
        if whole.may_be("list", "text") or guarded:
            if "list" in whole.kinds and whole.kinds <= {"list", "null"}:
                return whole.each
            return TEXT if whole.kinds == {"text"} else ANY
        message = f"{path_text(node.record) or 'this'} is {whole}, which has no items"
        return self.complain_of("X011", node.key, message, None)

    def _part(self, node: s.Part) -> Type:
        whole = self.type_of(node.whole)
        for bound in (node.start, node.stop):
            if bound is not None and not self.type_of(bound).may_be("integer"):
                self.complain_of(
                    "X010", bound, "a part goes from one whole number to another", "x[0:3]"
                )
        if not whole.may_be("list", "text"):
            said = self.said(node.whole, whole)
            return self.complain_of("X010", node.whole, f"{said}, which has no parts", None)
        return whole.widened()

    def _record(self, pairs: tuple[tuple[s.Syntax, s.Syntax], ...]) -> Type:
        fields, besides = {}, False
        for key, value in pairs:
            type_ = self.type_of(value)
            if isinstance(key, s.Constant) and isinstance(key.value, str):
                fields[key.value] = type_.widened()
            else:
                besides = True
                if not self.type_of(key).may_be("text"):
                    self.complain_of("X010", key, "the keys of a record are texts", None)
        return record_of(fields, besides="anything" if besides else "nothing")

    # -- signs ----------------------------------------------------------------------------------

    def _arithmetic(self, node: s.Arithmetic) -> Type:
        left, right = self.type_of(node.left), self.type_of(node.right)
        results = [
            result
            for one in left.kinds or KINDS
            for other in right.kinds or KINDS
            if (result := _result(node.sign, one, other, left, right)) is not None
        ]
        if results:
            return either(*results)
        message = (
            f"{self.said(node.left, left)} and {self.said(node.right, right)}:"
            f" {node.sign} cannot work that out"
        )
        return self.complain_of(
            "X010", node.left, message, advice(node.sign, left, right), until=node.right
        )

    def _negative(self, value: s.Syntax, at: int) -> Type:
        type_ = self.type_of(value)
        if type_.may_be("number", "integer"):
            return INTEGER if type_.kinds == {"integer"} else NUMBER
        return self.complain("X010", f"{self.said(value, type_)}; - is for numbers", None, at)

    def _compared(self, node: s.Compared) -> Type:
        left, before = node.first, self.type_of(node.first)
        for sign, right in node.rest:
            type_ = self.type_of(right)
            match sign:
                case "eq" | "ne":
                    self.equality(left, before, right, type_, sign)
                case "in" | "notin":
                    self.contained(left, before, right, type_)
                case _:
                    self.ordered(left, before, right, type_)
            left, before = right, type_
        return BOOLEAN

    def ordered(self, left: s.Syntax, one: Type, right: s.Syntax, other: Type) -> None:
        """Only values of one kind have an order."""
        ordered = ({"integer", "number"}, {"text"}, {"date"}, {"moment"})
        if any(one.may_be(*kinds) and other.may_be(*kinds) for kinds in ordered):
            return
        message = f"{self.said(left, one)} and {self.said(right, other)}: they have no order"
        self.complain_of("X010", left, message, advice("<", one, other), until=right)

    def equality(self, left: s.Syntax, one: Type, right: s.Syntax, other: Type, sign: str) -> None:
        """A comparison that always comes out the same is a slip."""
        if not one.known or not other.known or {"null"} in (one.kinds, other.kinds):
            return
        mine, yours = one.without_null(), other.without_null()
        always = "never" if sign == "eq" else "always"
        if not mine.may_be(*yours.kinds):
            message = f"this {always} holds: {self.said(left, mine)}, and {self.said(right, yours)}"
            hint = made_alike(left, mine, right, yours, sign)
            self.complain_of("X012", left, message, hint, until=right)
        elif mine.values is not None and yours.values is not None:
            if mine.values & yours.values or mine.kinds != {"text"}:
                return
            asked, given = (mine, yours) if isinstance(right, s.Constant) else (yours, mine)
            value = next(iter(sorted(map(str, given.values or ()))), "")
            node = left if asked is mine else right
            if not misspelt(value, asked.values or ()):
                return
            message = f"this {always} holds: {path_text(node) or 'this'} cannot be {value!r}"
            self.complain_of("X012", left, message, among(value, asked.values or ()), until=right)

    def contained(self, piece: s.Syntax, one: Type, whole: s.Syntax, other: Type) -> None:
        """`piece in whole`: an item of a list, a key of a record, a part of a text."""
        if not other.may_be("list", "record", "text"):
            message = f"{self.said(whole, other)}, which cannot contain anything"
            self.complain_of("X010", whole, message, "`in` looks into lists, texts and records")
        elif other.kinds == {"text"} and not one.may_be("text"):
            message = f"{self.said(piece, one)}, which cannot be in a text"
            self.complain_of("X010", piece, message, "make text of it: | string")
        elif other.kinds == {"list"} and other.item is not None:
            sample = whole.items[0] if isinstance(whole, s.ListOf) and whole.items else whole
            self.equality(piece, one, sample, other.item, "eq")

    # -- deciding -------------------------------------------------------------------------------

    def _either(self, left: s.Syntax, right: s.Syntax) -> Type:
        if self.strict:
            self._decides(left)
            self._decides(right)
            return BOOLEAN
        return either(self.type_of(left), self.type_of(right))

    def _decides(self, node: s.Syntax) -> None:
        type_ = self.type_of(node)
        if self.strict:
            self.condition(node, type_)

    def condition(self, node: s.Syntax, type_: Type) -> None:
        """Nothing is taken for true by its looks."""
        if type_.may_be("boolean"):
            return
        name = path_text(node) or "(…)"
        said = self.said(node, type_)
        self.complain_of(
            "X008",
            node,
            f"a condition must be true or false; {said}",
            f"write a test: {test_for(name, type_)}",
        )

    def in_text(self, node: s.Syntax) -> None:
        """What stands between other text is written out; null cannot be."""
        type_ = self.type_of(node)
        if type_.kinds == NULL.kinds:
            self.complain_of(
                "X010",
                node,
                f"{path_text(node) or 'this'} is null, which cannot be written into text",
                "say what stands there instead: | default('')",
            )

    @staticmethod
    def said(node: s.Syntax, type_: Type) -> str:
        """`inputs.count is a whole number`, as far as it has a name."""
        match node:
            case s.Constant(str() as text, _):
                return f"{text!r} is text"
            case s.Constant(value, _) if value is not None:
                return f"{str(value).lower() if isinstance(value, bool) else value} is {type_}"
        return f"{named(node) or 'this'} is {type_}"


def _path(node: s.Syntax) -> Path | None:
    match node:
        case s.Name(name, _):
            return (name,)
        case s.Read(record, s.Constant(str() as key, _), _):
            before = _path(record)
            return (*before, key) if before is not None else None
    return None


def _result(sign: str, one: str, other: str, left: Type, right: Type) -> Type | None:
    """What a sign makes of a value of one kind and another; None where nothing."""
    numbers = {"integer", "number"}
    if one in numbers and other in numbers:
        return INTEGER if (one, other) == ("integer", "integer") and sign != "/" else NUMBER
    match sign, one, other:
        case "+", "text", "text":
            return TEXT
        case "+", "list", "list":
            mine = left.item if "list" in left.kinds else None
            yours = right.item if "list" in right.kinds else None
            if mine is None or yours is None:
                return LIST
            return either(list_of(mine), list_of(yours))
        case ("-", "date", "date") | ("-", "moment", "moment"):
            return NUMBER
        case "*", "text", "integer":
            return TEXT
    return None
