"""Know the formats that a text may be said to have, and whether it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

_ADDRESS = re.compile(r"https?://[^\s/]+")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}", re.I)


def _fits(pattern: re.Pattern[str], *, to_the_end: bool = True) -> Callable[[str], object]:
    def read(text: str) -> object:
        found = pattern.fullmatch(text) if to_the_end else pattern.match(text)
        if found is None:
            raise ValueError(text)
        return found

    return read


# What reads a text of the format, or raises, and what such a text is called.
FORMATS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "uuid": (UUID, "an identifier (a UUID)"),
    "uri": (_fits(_ADDRESS, to_the_end=False), "a web address"),
    "email": (_fits(_MAIL), "a mail address"),
    "date": (date.fromisoformat, "a date such as 2026-01-31"),
    "time": (time.fromisoformat, "a time such as 08:00:00"),
    "date-time": (datetime.fromisoformat, "a moment such as 2026-01-31T08:00:00Z"),
    "hostname": (_fits(_HOST), "the name of a host"),
    "ipv4": (IPv4Address, "an address such as 192.0.2.1"),
    "ipv6": (IPv6Address, "an address such as 2001:db8::1"),
}


def unlike(text: str, wanted: str | None) -> str | None:
    """What a text of the format *wanted* is called, where this one is none.

    >>> unlike("x", "uuid")
    'an identifier (a UUID)'
    """
    if wanted is None or wanted not in FORMATS:
        return None
    read, words = FORMATS[wanted]
    try:
        read(text)
    except ValueError:
        return words
    return None
