"""Filters on what goes into a SOQL query. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .filters_of_dates import in_utc, to_moment
from .limits import Meter, room_for
from .tables import Table, need_list, need_text
from .values import Faulty, Missing, absent, is_list, shown, text_of

TABLE = Table()
entry = TABLE.entry


# The characters that Salesforce escapes with a backslash in a quoted string:
# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
_SOQL = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)


@entry(
    "text or number or boolean or date or moment or null -> text",
    "a SOQL literal: text quoted and escaped",
    '"O\'Neil" | soql',
    "\"'O\\\\'Neil'\"",
)
def soql(_: Meter, value: Any) -> str:
    """A SOQL literal."""
    if value is None:
        return "null"
    if isinstance(value, Mapping) or is_list(value):
        raise Faulty(f"soql takes one value; this is {shown(value)}", "for a list: | soql_list")
    if isinstance(value, Missing):
        raise absent(value)
    if isinstance(value, datetime):
        return _soql_moment(value)
    if not isinstance(value, str):
        return text_of(value)
    return "'" + value.translate(_SOQL) + "'"


@entry("list -> text", "a SOQL list for IN", "['a', 'b'] | soql_list", "\"('a','b')\"")
def soql_list(meter: Meter, value: Any) -> str:
    """A SOQL list for IN."""
    items = need_list(value, "soql_list")
    if not items:
        raise Faulty(
            "an empty list cannot be written into SOQL",
            "ask only when there is something to ask for: when: … | length > 0",
        )
    meter.turn(len(items))
    text = "(" + ",".join(soql(meter, item) for item in items) + ")"
    room_for(text=len(text))
    return text


@entry(
    "text or date or moment -> text",
    "a SOQL moment, which stands without quotes",
    "'2026-01-31T09:00:00+01:00' | soql_datetime",
    '"2026-01-31T08:00:00Z"',
)
def soql_datetime(_: Meter, value: Any) -> str:
    """A SOQL moment."""
    return _soql_moment(to_moment(value))


def _soql_moment(value: datetime) -> str:
    moment = in_utc(value).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds") + "Z"


@entry(
    "text -> text",
    "for the inside of LIKE: % and _ mean themselves",
    "'50%' | soql_like",
    '"50\\\\%"',
)
def soql_like(_: Meter, value: Any) -> str:
    """For the inside of a quoted LIKE pattern: % and _ mean themselves."""
    escaped = need_text(value, "soql_like").translate(_SOQL)
    return escaped.replace("%", "\\%").replace("_", "\\_")
