"""The operations `state.get`, `state.set` and `state.turn`: what flows remember from run to run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..ledger.state import next_turn
from .outcomes import StepFailed
from .world import World


class Remembering:
    """Does them for one run. A plan sees what it would have remembered, and keeps nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._values: dict[str, Any] = {}  # of a plan
        self._tallies: dict[str, Mapping[str, Any]] = {}
        self._turns: dict[tuple[str, str], str] = {}

    @property
    def operations(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]]:
        """Its operations, as flows name them."""
        return {"state.get": self._get, "state.set": self._set, "state.turn": self._turn}

    async def _get(self, given: Mapping[str, Any]) -> dict[str, Any]:
        name = str(given["name"])
        if name in self._values:
            return {"value": self._values[name]}
        return {"value": await self._world.ledger.state.get(name)}

    async def _set(self, given: Mapping[str, Any]) -> None:
        name, value = str(given["name"]), given["value"]
        if self._world.planning:
            self._values[name] = value
        else:
            await self._world.ledger.state.put(name, value)

    async def _turn(self, given: Mapping[str, Any]) -> dict[str, str]:
        name, key = str(given["name"]), str(given["key"])
        among = [str(one) for one in dict.fromkeys(given["among"])]
        if not among:
            raise StepFailed(
                "invalid",
                f"`among` is empty: there is nobody whose turn in {name!r} it could be",
                hint="stop before this step where the list is empty",
            )
        if not self._world.planning:
            return {"value": await self._world.ledger.state.turn(name, key=key, among=among)}
        known, tally = await self._world.ledger.state.turns(name, key)
        known = self._turns.get((name, key), known)
        if known not in among:
            known, self._tallies[name] = next_turn(self._tallies.get(name, tally), among)
            self._turns[name, key] = known
        return {"value": known}
