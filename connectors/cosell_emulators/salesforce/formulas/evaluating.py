"""Work a formula out for a record.

https://help.salesforce.com/s/articleView?id=platform.tips_on_building_formulas.htm
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Any

from cosell_emulators.salesforce.formulas.functions import LENIENT, STRICT
from cosell_emulators.salesforce.formulas.tree import Call, Expression, Literal, Reference
from cosell_emulators.salesforce.schema import Field

_HUNDRED = Decimal(100)
Read = Callable[[tuple[str, ...]], tuple[Field | None, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula that was read, and what its maker said of blank numbers."""

    expression: Expression
    blank_is_zero: bool

    def value(self, into: Field, *, read: Read, now: datetime) -> Any:
        """Work it out as a value of a field; blank where it cannot be, as a division by zero."""
        try:
            found = _Sum(read=read, now=now, zero=self.blank_is_zero).of(self.expression)
            return _shaped(into, found)
        except (DecimalException, ArithmeticError, TypeError, ValueError, AttributeError):
            return None


def _shaped(into: Field, value: Any) -> Any:
    match into.type:
        case "boolean":
            return bool(value)
        case "string":
            return str(value) if value not in (None, "") else None
        case "date":
            return value.date() if isinstance(value, datetime) else value
        case "percent" if value is not None:
            value = value * _HUNDRED
    if into.is_number and value is not None:
        return Decimal(value).quantize(Decimal(1).scaleb(-into.scale), ROUND_HALF_UP)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """One working out."""

    read: Read
    now: datetime
    zero: bool

    def of(self, expression: Expression) -> Any:
        match expression:
            case Literal():
                return expression.value
            case Reference():
                return self._field(expression)
            case Call():
                return self._call(expression.name, expression.arguments)

    def _field(self, reference: Reference) -> Any:
        field, value = self.read(reference.names)
        if field is not None and field.is_number:
            if value is None:
                return Decimal(0) if self.zero else None
            value = Decimal(value)
            return value / _HUNDRED if field.type == "percent" else value
        return value

    def _call(self, name: str, parts: tuple[Expression, ...]) -> Any:
        if name in STRICT:
            values = [self.of(part) for part in parts]
            return None if any(value is None for value in values) else STRICT[name](*values)
        if name in LENIENT:
            return LENIENT[name](*(self.of(part) for part in parts))
        if name in ("=", "<>"):
            same = _same(self.of(parts[0]), self.of(parts[1]))
            return same if name == "=" else not same
        return self._choosing(name, parts)

    def _choosing(self, name: str, parts: tuple[Expression, ...]) -> Any:
        """Work out only what is asked for."""
        match name:
            case "AND":
                return all(self.of(part) for part in parts)
            case "OR":
                return any(self.of(part) for part in parts)
            case "NOT":
                return not self.of(parts[0])
            case "IF":
                return self.of(parts[1] if self.of(parts[0]) else parts[2])
            case "CASE":
                return self._case(parts)
            case "ISBLANK" | "ISNULL":
                return self._is_blank(parts[0])
            case "BLANKVALUE" | "NULLVALUE":
                return self.of(parts[1] if self._is_blank(parts[0]) else parts[0])
            case "ISPICKVAL":
                return _same(self.of(parts[0]), self.of(parts[1]))
            case "INCLUDES":
                return self.of(parts[1]) in str(self.of(parts[0]) or "").split(";")
            case "NOW":
                return self.now
            case "TODAY":
                return self.now.date()
        raise ValueError(name)

    def _case(self, parts: tuple[Expression, ...]) -> Any:
        subject = self.of(parts[0])
        for wanted, result in zip(parts[1:-1:2], parts[2:-1:2], strict=False):
            if _same(subject, self.of(wanted)):
                return self.of(result)
        return self.of(parts[-1])

    def _is_blank(self, part: Expression) -> bool:
        """Tell whether something is blank; a blank number that counts as zero is not."""
        return self.of(part) in (None, "")


def _same(left: Any, right: Any) -> bool:
    return ("" if left is None else left) == ("" if right is None else right)
