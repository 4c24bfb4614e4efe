"""Say in Prefect which process has a run, from the moment that it takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Pending

from cosell_flows.ledger import this_process

_TAKEN = "taken up by "


def claim() -> State[Any]:
    """The state of a run that this process has taken, and has not begun."""
    return Pending(message=f"{_TAKEN}{this_process()}")


def claimant(states: Sequence[State[Any]]) -> str | None:
    """Which process had a run last, by all its states, oldest first; None where nobody said so."""
    told = [state.message for state in states if (state.message or "").startswith(_TAKEN)]
    return (told[-1] or "").removeprefix(_TAKEN) if told else None
