"""Send sample values left to right and back, as a field of the org would keep them. Pure.

What does not come back equal is lost or changed in every sync, however well it merges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from cosell_definitions.model_mappings import MapField
from cosell_definitions.problems import did_you_mean

from . import tables
from .errors import BadValue, TooLong
from .mirror import Row
from .values import canonical, parse_moment, same, to_wire_left, to_wire_right

SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "text": ("Ærø · 日本 ✓", "x" * 255),
    "money": ("1234.56", "0.01", "99999999.99"),
    "number": ("1234.56",),
    "currency": ("EUR", "KWD"),
    "country": ("DK", "BR"),
    "date": ("2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z"),
    "datetime": ("2027-02-28T23:30:00Z",),
    "boolean": (True, False),
}
_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A sample that does not come back equal."""

    sample: Any
    came_back: Any  # None where it was refused
    why: str
    of_a_table: bool = False  # a word of it that the field does not know

    def __str__(self) -> str:
        if self.came_back is None:
            return f"{_short(self.sample)} {self.why}"
        return f"{_short(self.sample)} comes back as {_short(self.came_back)}: {self.why}"


class _Refused(Exception):
    """The org would not take a value; the text says why."""


def losses(row: Row, described: Mapping[str, Any]) -> Iterator[Loss]:
    """The samples that a row loses on their way over a field of the org, as its describe tells."""
    if row.field.value is not None or row.field.type == "rows":
        return
    yield from _words(row, described) if row.table else _values(row.field, described)


def _values(field: MapField, described: Mapping[str, Any]) -> Iterator[Loss]:
    for sample in SAMPLES.get(field.type, ()):
        try:
            sent = canonical(field, sample)
            kept = _kept(to_wire_right(field, sent), described)
            back = canonical(field, to_wire_left(field, canonical(field, kept)))
        except _Refused as refused:
            yield Loss(sample=sample, came_back=None, why=str(refused))
        except TooLong:
            continue  # the row says itself that it refuses such a value
        except BadValue:
            why = f"a {described.get('type')} field cannot hold a {field.type}"
            yield Loss(sample=sample, came_back=None, why=f"is lost: {why}")
            return
        else:
            if not same(field, sent, back):
                yield Loss(sample=sample, came_back=back, why=f"{_field(described)} changes it")


def _words(row: Row, described: Mapping[str, Any]) -> Iterator[Loss]:
    """Each left word of a table, there and back; of words that travel one way, whether they exist.

    A list of values that is not restricted, such as the stages, takes any word; but a word that is
    none of its values means nothing to anybody.
    """
    listed = described.get("type") == "picklist" and bool(described.get("picklistValues"))
    for one in row.table:
        if listed and one.direction != "right_to_left" and one.right not in ("*", None):
            try:
                _among(one.right, described)
            except _Refused as refused:
                yield Loss(sample=one.right, came_back=None, why=str(refused), of_a_table=True)
                continue
        if one.direction == "left_to_right" or "*" in one.left or one.right in ("*", None):
            continue
        try:
            kept = _kept(one.right, described)
        except _Refused as refused:
            yield Loss(sample=one.right, came_back=None, why=str(refused))
            continue
        now = one.came_from or one.left
        back = tables.to_left(row.table, kept, now=now)
        if row.field.direction == "both" and (back is None or not tables.fits(one.left, back.left)):
            came = "/".join(map(str, back.left)) if back else "nothing"
            sample = "/".join(map(str, one.left))
            why = f"the table has another row for {kept!r} above it"
            yield Loss(sample=sample, came_back=came, why=why)


def _kept(value: Any, described: Mapping[str, Any]) -> Any:
    """What a field of the org holds after *value* was written to it; raises _Refused."""
    kind = str(described.get("type"))
    match kind:
        case "currency" | "double" | "percent" | "int":
            return _rounded(value, described, whole=kind == "int")
        case "boolean":
            if not isinstance(value, bool):
                raise _Refused(f"is refused: {_field(described)} is a checkbox")
            return value
        case "date":
            moment = parse_moment(value) if isinstance(value, str) else None
            if moment is None:
                raise _Refused(f"is refused: {_field(described)} is a date")
            return moment.date().isoformat()
        case "picklist" if described.get("restrictedPicklist"):
            return _among(value, described)
    length = int(described.get("length") or 0)
    if isinstance(value, str) and length and len(value) > length:
        raise _Refused(f"is refused: {_field(described)} holds {length} characters; "
                       f"write max_length: {length} in the row")  # fmt: skip
    return value


def _rounded(value: Any, described: Mapping[str, Any], *, whole: bool) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _Refused(f"is refused: {_field(described)} is a number") from None
    digits = 0 if whole else int(described.get("scale") or 0)
    return number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _among(value: Any, described: Mapping[str, Any]) -> Any:
    known = [one["value"] for one in described.get("picklistValues", ()) if one.get("active", True)]
    for one in known:
        if str(one).casefold() == str(value).casefold():
            return one
    near = did_you_mean(str(value), [str(one) for one in known])
    guess = f"; did you mean {near!r}?" if near else ""
    raise _Refused(f"is none of the values of {_field(described)}{guess}")


def _field(described: Mapping[str, Any]) -> str:
    return str(described.get("name"))


def _short(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:12]}…' ({len(str(value))} characters)"
