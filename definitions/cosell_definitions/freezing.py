"""Frozen, slotted values as `dataclasses` has them, whose classes are made in a tenth of the time.

`dataclasses` writes six functions for each class and compiles them; for the classes that a check
loads this takes longer than the check. Here all classes share five of them, and the sixth, which
makes an instance, is written when the first one is made. Everything else is that of `dataclasses`.
"""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported, under its own name
else:

    def dataclass(
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False
    ) -> Callable[[type], type]:
        """As `dataclasses.dataclass`; of values that are not frozen, or have no slots, the same."""
        if not (frozen and slots):
            return dataclasses.dataclass(frozen=frozen, slots=slots, kw_only=kw_only)

        def made(plain: type) -> type:
            cls = dataclasses.dataclass(
                init=False, repr=False, eq=False, slots=True, kw_only=kw_only
            )(plain)
            return _frozen(cls)

        return made


_set = object.__setattr__


def _frozen(cls: Any) -> type:
    fields = dataclasses.fields(cls)
    cls.__names__ = tuple(one.name for one in fields)
    cls.__state__ = _getter(cls.__names__)
    cls.__compared__ = _getter([one.name for one in fields if one.compare])
    cls.__init__ = _first_init
    cls.__repr__ = _repr
    cls.__eq__ = _eq
    cls.__hash__ = _hash
    cls.__setattr__ = _setattr
    cls.__delattr__ = _delattr
    cls.__getstate__ = _getstate
    cls.__setstate__ = _setstate
    made: type = cls
    return made


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return staticmethod(attrgetter(*names))
    return staticmethod(lambda one: tuple(getattr(one, name) for name in names))


def _first_init(self: Any, *values: Any, **named: Any) -> None:
    cls = type(self)
    cls.__init__ = _init_of(cls)
    cls.__init__(self, *values, **named)


def _init_of(cls: Any) -> Callable[..., None]:
    """Write the function that makes an instance, as `dataclasses` would."""
    scope: dict[str, Any] = {"_set": _set, "_new": dataclasses.MISSING}
    positional = ["self"]
    named: list[str] = []
    body: list[str] = []
    for one in dataclasses.fields(cls):
        given = one.name
        if one.default is not dataclasses.MISSING:
            scope[f"_default_{given}"] = one.default
            given += f"=_default_{given}"
        elif one.default_factory is not dataclasses.MISSING:
            scope[f"_make_{given}"] = one.default_factory
            body.append(f" if {given} is _new: {given} = _make_{given}()")
            given += "=_new"
        (named if one.kw_only else positional).append(given)
        body.append(f" _set(self, {one.name!r}, {one.name})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    words = ", ".join([*positional, *(["*", *named] if named else [])])
    exec(f"def __init__({words}):\n" + "\n".join(body or [" pass"]), scope)  # noqa: S102 - of names
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{it.name}={getattr(self, it.name)!r}" for it in dataclasses.fields(self) if it.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _setattr(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> tuple[Any, ...]:
    state: tuple[Any, ...] = self.__state__(self)
    return state


def _setstate(self: Any, state: tuple[Any, ...]) -> None:
    for name, value in zip(self.__names__, state, strict=True):
        _set(self, name, value)
