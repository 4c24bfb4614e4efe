"""Ask the person at the terminal what an `approve` step wants to know."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cosell_definitions.model import Input

from . import console

if TYPE_CHECKING:
    from ..running.conducting import Ask
    from ..running.outcomes import Question


Answer = Mapping[str, Any]


def on_the_terminal() -> Ask | None:
    """Asks whoever sits at the terminal, one question after the other; None where nobody does."""
    if not (sys.stdin.isatty() and console.on_terminal()):
        return None
    one_at_a_time = asyncio.Lock()

    async def ask(question: Question) -> Mapping[str, Any]:
        async with one_at_a_time:
            return await _in_a_thread(lambda: _answer(question))

    return ask


async def _in_a_thread(work: Callable[[], Answer]) -> Answer:
    """Wait for *work*, which may sit at a prompt for ever: the program ends without it, if need be."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()

    def settle(answer: Answer) -> None:
        if not future.done():
            future.set_result(answer)

    def fail(error: Exception) -> None:
        if not future.done():
            future.set_exception(error)

    def run() -> None:
        try:
            loop.call_soon_threadsafe(settle, work())
        except EOFError:
            gone = console.Failure("the question was left without an answer")
            loop.call_soon_threadsafe(fail, gone)
        except Exception as trouble:  # noqa: BLE001 - raised again in the loop
            loop.call_soon_threadsafe(fail, trouble)

    threading.Thread(target=run, daemon=True).start()
    return await future


def _answer(question: Question) -> dict[str, Any]:
    console.warn(f"{question.name}: {question.message}")
    if not question.answer:
        _typed("Enter goes on, Ctrl-C stops the run: ")
    return {one.name: _field(one) for one in question.answer}


def _field(one: Input) -> Any:
    from ..running.inputs import conform, from_text

    while True:
        text = _typed(f"  {one.schema.title or one.name}{_said(one)}: ").strip()
        if not text and not one.required:
            return None  # the default, or null
        try:
            return conform(one.schema, from_text(one.schema, text))
        except ValueError as error:
            console.warn(f"  {error}")


def _said(one: Input) -> str:
    kinds = {"boolean": "yes or no"}
    allowed = ", ".join(map(str, one.schema.enum)) or kinds.get(one.schema.type, one.schema.type)
    if one.required:
        return f" ({allowed})"
    return f" ({allowed}; Enter: {_default(one)})"


def _default(one: Input) -> str:
    if isinstance(one.default, bool):
        return "yes" if one.default else "no"
    return "nothing" if one.default is None else str(one.default)


def _typed(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return input()
