"""A query as a tree, before anybody knows whether its names exist."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps of a parent: `Account.Owner.Name`."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Call:
    """A function: `COUNT(Id)`, `CALENDAR_YEAR(CloseDate)`, `FIELDS(ALL)`."""

    name: str
    argument: "Path | Call | None"
    at: int


@dataclass(frozen=True, slots=True)
class Column:
    """Something selected, perhaps under another name."""

    what: Path | Call
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Children:
    """A query over child rows."""

    query: "Query"


@dataclass(frozen=True, slots=True)
class TypeOf:
    """Different fields for different kinds of parent."""

    relationship: Path
    cases: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """A relative date: `LAST_N_DAYS:7`."""

    name: str
    number: int | None
    at: int


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency: `USD5000`."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text, as it stands in the query."""

    raw: str


Value = None | bool | Decimal | Text | date | datetime | DateLiteral | Money


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition; `values` holds several for IN, NOT IN, INCLUDES and EXCLUDES."""

    what: Path | Call
    operator: str
    values: tuple[Value, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Among:
    """A semi-join, or an anti-join."""

    what: Path
    query: "Query"
    negated: bool


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Some part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Comparison | Among | All | Some | Not


@dataclass(frozen=True, slots=True)
class Order:
    """One key of the order."""

    what: Path | Call
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole query."""

    columns: tuple[Column | Children | TypeOf, ...]
    source: str
    at: int
    alias: str | None = None
    scope: str | None = None
    where: Condition | None = None
    group_by: tuple[Path | Call, ...] = ()
    having: Condition | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    counts: bool = False
