"""Read a query by recursive descent.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
"""

import re
from datetime import date, datetime
from decimal import Decimal

from cosell_emulators.salesforce.problems import Refusal
from cosell_emulators.salesforce.soql.lexing import Token, complaint, tokens
from cosell_emulators.salesforce.soql.tree import (
    All,
    Among,
    Call,
    Children,
    Column,
    Comparison,
    Condition,
    DateLiteral,
    Money,
    Not,
    Order,
    Path,
    Query,
    Some,
    Text,
    TypeOf,
    Value,
)

# An amount in a currency of its own: USD5000.
_MONEY = re.compile(r"[A-Za-z]{3}\d+")
_LONGEST = 100_000
_DEEPEST = 100
_COMPARING = ("=", "!=", "<>", "<", "<=", ">", ">=")
_CLAUSES = {
    "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "WITH", "ALL", "UPDATE"
}  # fmt: skip


def parsed(query: str) -> Query:
    """Read a query, or refuse it as malformed."""
    if len(query) > _LONGEST:
        raise complaint(query, 0, "QUERY_TOO_COMPLICATED", "SOQL statement is too long")
    parser = _Parser(query)
    found = parser.query()
    if parser.next.kind:
        raise parser.unexpected()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._place = 0
        self._depth = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._place]

    def unexpected(self, code: str = "MALFORMED_QUERY") -> Refusal:
        token = self.next
        shown = f"unexpected token: '{token.text}'" if token.kind else "unexpected token: <EOF>"
        return complaint(self._text, token.at, code, shown)

    def _take(self) -> Token:
        token = self.next
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def _word(self, *words: str) -> bool:
        """Take keywords when they come next, one after the other."""
        ahead = self._tokens[self._place : self._place + len(words)]
        if [token.word for token in ahead] != list(words):
            return False
        self._place += len(words)
        return True

    def _sign(self, sign: str) -> bool:
        if self.next.kind != "sign" or self.next.text != sign:
            return False
        self._take()
        return True

    def _need_word(self, *words: str) -> None:
        if not self._word(*words):
            raise self.unexpected()

    def _need_sign(self, sign: str) -> None:
        if not self._sign(sign):
            raise self.unexpected()

    def _name(self) -> Token:
        if self.next.kind != "name":
            raise self.unexpected()
        return self._take()

    def _whole(self) -> int:
        if self.next.kind != "number" or not self.next.text.isdigit():
            raise self.unexpected()
        return int(self._take().text)

    def query(self) -> Query:
        self._need_word("SELECT")
        columns = [self._column()]
        while self._sign(","):
            columns.append(self._column())
        self._need_word("FROM")
        source = self._name()
        alias = None
        if self.next.kind == "name" and self.next.word not in _CLAUSES:
            self._word("AS")
            alias = self._name().text
        only = columns[0].what if isinstance(columns[0], Column) else None
        counts = isinstance(only, Call) and only.name == "COUNT" and only.argument is None
        if counts and len(columns) > 1:
            raise complaint(
                self._text, self.next.at, "MALFORMED_QUERY", "count() must be the only selection"
            )
        scope = self._name().text if self._word("USING", "SCOPE") else None
        where = self._condition() if self._word("WHERE") else None
        grouped = self._word("GROUP", "BY")
        group_by = self._several() if grouped else ()
        having = self._condition() if self._word("HAVING") else None
        order_by = self._orders() if self._word("ORDER", "BY") else ()
        limit = self._whole() if self._word("LIMIT") else None
        offset = self._whole() if self._word("OFFSET") else 0
        if self._word("FOR") and not (self._word("VIEW") or self._word("REFERENCE")):
            raise self.unexpected()
        return Query(
            columns=tuple(columns),
            source=source.text,
            at=source.at,
            alias=alias,
            scope=scope,
            where=where,
            group_by=group_by,
            having=having,
            order_by=order_by,
            limit=limit,
            offset=offset,
            counts=counts,
        )

    def _column(self) -> Column | Children | TypeOf:
        if self._sign("("):
            children = Children(self.query())
            self._need_sign(")")
            return children
        if self.next.word == "TYPEOF":
            return self._type_of()
        what = self._expression()
        alias = None
        if self.next.kind == "name" and self.next.word != "FROM":
            alias = self._take().text
        return Column(what, alias)

    def _type_of(self) -> TypeOf:
        self._take()
        relationship = self._path()
        cases = []
        while self._word("WHEN"):
            kind = self._name().text
            self._need_word("THEN")
            cases.append((kind, self._paths()))
        if not cases:
            raise self.unexpected()
        otherwise = self._paths() if self._word("ELSE") else ()
        self._need_word("END")
        return TypeOf(relationship, tuple(cases), otherwise)

    def _path(self) -> Path:
        token = self._name()
        return Path(tuple(token.text.split(".")), token.at)

    def _paths(self) -> tuple[Path, ...]:
        found = [self._path()]
        while self._sign(","):
            found.append(self._path())
        return tuple(found)

    def _expression(self) -> Path | Call:
        token = self._name()
        if not self._sign("("):
            return Path(tuple(token.text.split(".")), token.at)
        if self._sign(")"):
            return Call(token.text.upper(), None, token.at)
        argument = self._expression()
        self._need_sign(")")
        return Call(token.text.upper(), argument, token.at)

    def _several(self) -> tuple[Path | Call, ...]:
        found = [self._expression()]
        while self._sign(","):
            found.append(self._expression())
        return tuple(found)

    def _orders(self) -> tuple[Order, ...]:
        found = [self._order()]
        while self._sign(","):
            found.append(self._order())
        return tuple(found)

    def _order(self) -> Order:
        what = self._expression()
        descending = self._word("DESC")
        if not descending:
            self._word("ASC")
        # Empty values come first, whichever way the order goes, unless the query says otherwise.
        nulls_last = self._word("NULLS", "LAST")
        if not nulls_last:
            self._word("NULLS", "FIRST")
        return Order(what, descending, nulls_last)

    def _condition(self) -> Condition:
        parts = [self._negation()]
        joint = self.next.word
        # AND and OR do not mix without parentheses.
        while joint in ("AND", "OR") and self._word(joint):
            parts.append(self._negation())
        if self.next.word in ("AND", "OR"):
            raise self.unexpected()
        if len(parts) == 1:
            return parts[0]
        return All(tuple(parts)) if joint == "AND" else Some(tuple(parts))

    def _negation(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.unexpected("QUERY_TOO_COMPLICATED")
        found: Condition
        if self._word("NOT"):
            found = Not(self._negation())
        elif self._sign("("):
            found = self._condition()
            self._need_sign(")")
        else:
            found = self._comparison()
        self._depth -= 1
        return found

    def _comparison(self) -> Condition:
        start = self.next.at
        what = self._expression()
        if self.next.kind == "sign" and self.next.text in _COMPARING:
            operator = self._take().text.replace("<>", "!=")
            return Comparison(what, operator, (self._value(),), start)
        if self._word("LIKE"):
            return Comparison(what, "LIKE", (self._value(),), start)
        negated = self._word("NOT", "IN")
        if negated or self._word("IN"):
            return self._among(what, start, negated=negated)
        for word in ("INCLUDES", "EXCLUDES"):
            if self._word(word):
                return Comparison(what, word, self._values(), start)
        raise self.unexpected()

    def _among(self, what: Path | Call, start: int, *, negated: bool) -> Condition:
        ahead = self._tokens[self._place + 1 : self._place + 2]
        if self.next.text == "(" and ahead and ahead[0].word == "SELECT" and isinstance(what, Path):
            self._take()
            inner = self.query()
            self._need_sign(")")
            return Among(what, inner, negated)
        return Comparison(what, "NOT IN" if negated else "IN", self._values(), start)

    def _values(self) -> tuple[Value, ...]:
        self._need_sign("(")
        found = [self._value()]
        while self._sign(","):
            found.append(self._value())
        self._need_sign(")")
        return tuple(found)

    def _value(self) -> Value:
        token = self._take()
        try:
            match token.kind:
                case "text":
                    return Text(token.text)
                case "number":
                    return Decimal(token.text)
                case "date":
                    return date.fromisoformat(token.text)
                case "datetime":
                    return datetime.fromisoformat(token.text.replace("z", "Z"))
                case "name":
                    return self._word_value(token)
        except ValueError:
            self._place -= 1
            raise self.unexpected() from None
        self._place -= 1 if token.kind else 0
        raise self.unexpected()

    def _word_value(self, token: Token) -> Value:
        match token.word:
            case "NULL":
                return None
            case "TRUE" | "FALSE":
                return token.word == "TRUE"
        if _MONEY.fullmatch(token.text):
            fraction = self._take().text if self.next.text.startswith(".") else ""
            return Money(token.text[:3].upper(), Decimal(token.text[3:] + fraction))
        number = self._whole() if self._sign(":") else None
        return DateLiteral(token.word, number, token.at)
