"""`cosell env explain NAME --as VALUE`: what another value would change, before it is set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import console
from .console import Context, Failure, say, warn
from .running import with_engine

if TYPE_CHECKING:
    from cosell_definitions.settings import Declaration

    from ..operating.previewing import Preview
    from ..running.engine import Engine


def tell_preview(context: Context, declaration: Declaration, value: str) -> None:
    """Rehearse what reads the variable with both values, and tell the difference."""
    from cosell_env.resolving import typed

    try:
        typed(declaration, value)
    except ValueError as error:
        hint = f"see: cosell env explain {declaration.name}"
        raise Failure(str(error), hint=hint, code=console.USAGE) from None

    async def work(engine: Engine) -> list[Preview]:
        from ..operating.previewing import flows_that_read, preview
        from ..running.opening import environment_of

        process = {**os.environ, f"COSELL_{declaration.name}": value}
        other = environment_of(engine.project, process)
        found = []
        for flow in flows_that_read(engine, declaration.name):
            if console.on_terminal():
                warn(f"rehearsing {flow.id} with both values …")
            found.append(await preview(engine, other, flow))
        return found

    previews: list[Preview] = with_engine(context, work)
    if context.as_json:
        console.show_json(
            {"variable": declaration.name, "as": value, "flows": [_json(one) for one in previews]}
        )
        return
    for one in previews:
        (records, more), (fields, then) = one.in_scope, one.fields
        say(f"{one.flow}: {records} → {more} records in scope, {fields} → {then} fields to write")
        for result, word in ((one.now, "now"), (one.then, f"as {value}")):
            if result.error:
                warn(f"  {word}: {result.error['message']}")
            elif result.braked:
                warn(f"  {word}: a run would be stopped by the brake: {result.braked}")
    if not previews:
        say(f"no flow that starts by itself reads {declaration.name}")


def _json(one: Preview) -> dict[str, Any]:
    return {
        "flow": one.flow,
        "records": {"now": one.in_scope[0], "then": one.in_scope[1]},
        "fields": {"now": one.fields[0], "then": one.fields[1]},
        "counts": {"now": dict(one.now.counts), "then": dict(one.then.counts)},
        "error": one.then.error,
    }
