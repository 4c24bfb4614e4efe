"""Let one record make what several of a run looked for in vain: an account, a contact.

Two referrals of one new customer are worked on at once. Both ask for the account, neither finds it,
and both would make it. Where both would make it word for word, who comes second is told of a
conflict, looks again, and finds what the first made; in a plan it gets what the first would have
made. A scope with a `key` is entered by one at a time, over all processes: there the same look-up
in vain is enough, however the two spell the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ..syncing.writes import Write
from .digesting import digest
from .outcomes import StepFailed


@dataclass(slots=True)
class Alone:
    """A scope with a key, while it is worked in."""

    key: str
    vain: str | None = None  # its last look-up, where it found nothing and nothing was made since


ALONE: ContextVar[Alone | None] = ContextVar("alone", default=None)


@dataclass(frozen=True, slots=True)
class _Made:
    whose: set[str]  # what its maker sought, and by that the maker itself
    write: Write


@dataclass(slots=True)
class Twins:
    """What was made in a run by records that had looked for it in vain."""

    _made: dict[str, _Made] = field(default_factory=dict)

    def made_by_another(self, sought: set[str], write: Write) -> Mapping[str, Any] | None:
        """What another record made of the same look-up, or None: then it is ours to make.

        *sought* is the set that belongs to the record which is about to write.
        """
        if write.kind != "create" or not sought:
            return None
        spelled = digest([write.system, write.object, write.arguments])
        known = self._made.get(spelled)
        if known is not None and known.whose is not sought and known.whose & sought:
            return known.write.predicted
        made = self._made.setdefault(spelled, _Made(sought, write))
        alone = ALONE.get()
        if alone is None or alone.vain is None:
            return None
        name = digest([write.system, write.object, alone.key, alone.vain])
        alone.vain = None
        known = self._made.setdefault(name, made)
        return None if known.whose is sought else known.write.predicted

    def unmade(self, write: Write) -> None:
        """It could not be made after all: another may try."""
        for name in [name for name, made in self._made.items() if made.write is write]:
            del self._made[name]


def look(sought: set[str], asked: object, reply: Any) -> None:
    """Remember a look-up that found nothing in *sought*, and in the scope that it was made in."""
    name = digest(asked) if found_nothing(reply) else None
    if name is not None:
        sought.add(name)
    alone = ALONE.get()
    if alone is not None:
        alone.vain = name


def found_nothing(reply: Any) -> bool:
    """Whether a look-up gave lists, and all of them empty."""
    found = reply.values() if isinstance(reply, Mapping) else ()
    lists = [one for one in found if isinstance(one, list | tuple)]
    return bool(lists) and not any(lists)


def made_a_moment_ago(write: Write) -> StepFailed:
    """The failure of a record whose twin is being made."""
    return StepFailed(
        "conflict",
        f"the same {write.object} is being made for another record of this run",
        hint="look for it again: a `retry` on conflict around the look-up and this step does",
    )
