"""Let one record make what several of a run looked for in vain: an account, a contact.

Two referrals of one new customer are worked on at once. Both ask for the account, neither finds it,
and both would make it. Who comes second is told of a conflict, looks again, and finds what the
first made; in a plan it gets what the first would have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..syncing.writes import Write
from .digesting import digest
from .outcomes import StepFailed


@dataclass(frozen=True, slots=True)
class _Made:
    whose: set[str]  # what its maker sought, and by that the maker itself
    predicted: Mapping[str, Any]


@dataclass(slots=True)
class Twins:
    """What was made in a run by records that had looked for it in vain."""

    _made: dict[str, _Made] = field(default_factory=dict)

    def made_by_another(self, sought: set[str], write: Write) -> Mapping[str, Any] | None:
        """What another record made of the same look-up, word for word, or None: then it is ours.

        *sought* is the set that belongs to the record which is about to write.
        """
        if write.kind != "create" or not sought:
            return None
        name = digest([write.system, write.object, write.arguments])
        known = self._made.get(name)
        if known is not None and known.whose is not sought and known.whose & sought:
            return known.predicted
        self._made.setdefault(name, _Made(sought, write.predicted))
        return None

    def unmade(self, write: Write) -> None:
        """It could not be made after all: another may try."""
        self._made.pop(digest([write.system, write.object, write.arguments]), None)


def look(sought: set[str], asked: object, reply: Any) -> None:
    """Remember a look-up that found nothing in *sought*."""
    if found_nothing(reply):
        sought.add(digest(asked))


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
