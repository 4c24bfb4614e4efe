"""What a formula is made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Value = None | bool | Decimal | str | date | datetime


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, TRUE, FALSE or NULL."""

    value: Value


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of the record, or of one above it: `Account.Owner.Name`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or an operator, and what it works on."""

    name: str
    arguments: tuple["Expression", ...]


Expression = Literal | Reference | Call


class Faulty(ValueError):
    """A formula that cannot be read; the text is what the platform says of it."""


def references(
    expression: Expression, within: str | None = None
) -> Iterator[tuple[Reference, str | None]]:
    """Go through the fields of a formula, each with the function that it stands in first."""
    match expression:
        case Reference():
            yield expression, within
        case Call():
            for place, argument in enumerate(expression.arguments):
                # CASE and ISPICKVAL take a picklist in the first place only.
                yield from references(argument, expression.name if place == 0 else None)
