"""A value that can be used but not seen."""

from __future__ import annotations

import hmac
from typing import NoReturn

_SHOWN = "Secret(•••)"


class Secret:
    """A value that can be used but not seen: not printed, formatted, logged, pickled or copied out.

    Only `signing.py` of the connectors reveals one, at the moment it signs a request, and
    `rotating.py` here, to keep a refresh token that must outlive a restart.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Hand out the value."""
        return self.__value

    def __repr__(self) -> str:
        return _SHOWN

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return _SHOWN

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    # Two equal secrets would give their equality away in a set; nothing needs that.
    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled or copied: hand over the reference to it instead")
