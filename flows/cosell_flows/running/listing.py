"""Begin a list of which only the first page is read at once; a loop asks for the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cosell_connectors.errors import ConnectorError
from cosell_definitions.model import Action

from ..compiling.streaming import Streamed
from ..syncing.values import parse_moment
from .digesting import digest
from .portions import Rows, Stream
from .retrying import pause_before_retry
from .wording import as_failure
from .world import World

Sleep = Callable[[float], Awaitable[None]]


async def listed(
    world: World,
    action: Action,
    arguments: Mapping[str, Any],
    known: Streamed | None,
    *,
    sleep: Sleep,
) -> Any:
    """The output of an action; a Stream stands for its items where they have more than a page."""
    system, name = action.system, action.operation
    if known is None:
        return await world.call(system, name, arguments, rule=action.place)
    operation = world.operation(system, name)
    outputs = {one.name: one.kind for one in operation.output}
    lists = [one for one, kind in outputs.items() if kind == "items"]
    if operation.paging is None or not lists or not known.outputs.issuperset(lists):
        return await world.call(system, name, arguments, rule=action.place)
    page = await world.page(system, name, arguments)
    output = page.output
    if page.following is None:
        return output

    async def read(at: str) -> Rows:
        attempt = 1
        while True:
            try:
                further = await world.page(system, name, arguments, at=at)
                break
            except ConnectorError as error:
                failure = as_failure(error)
                pause = pause_before_retry(failure, attempt, known.retry)
                if pause is None:
                    raise failure from error
                await sleep(pause.total_seconds())
                attempt += 1
        # What is told of the whole list grows with it, for steps behind the loop.
        for one in (one for one, kind in outputs.items() if kind == "newest"):
            output[one] = max((output[one], further.output[one]), key=_moment)
        return Rows(further.items, further.following)

    asked = digest([system, name, arguments])
    first = Rows(page.items, page.following)
    for one in lists:
        output[one] = Stream(first, read, asked)
    return output


def _moment(stamp: Any) -> float:
    moment = parse_moment(stamp) if stamp else None
    return moment.timestamp() if moment else float("-inf")
