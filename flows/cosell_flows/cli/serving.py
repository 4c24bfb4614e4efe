"""`cosell serve` and `cosell sandbox`: things that run until they are told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import click

from . import console
from .console import Context, Failure
from .main import project_folder

_PORT = click.IntRange(0, 65535)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the receiver listens.")
@click.option(
    "--port", default=8810, type=_PORT, show_default=True, help="Its port; 0 picks a free one."
)
@click.option("--all", "all_on", is_flag=True, help="Turn every flow on first.")
@click.pass_obj
def serve(context: Context, host: str, port: int, all_on: bool) -> None:
    """Receive webhooks and run the flows that are on, until SIGTERM or Ctrl-C.

    Without PREFECT_API_URL it starts a Prefect server of its own, with its UI, on SQLite in
    .cosell/. When all is ready it prints one JSON line with the addresses.

    \b
    cosell serve --all
    cosell run webhook-registration -i http_trigger_endpoint=RECEIVER
    """
    folder = project_folder(context)
    console.log_to_stderr()

    async def work(stop: asyncio.Event) -> None:
        from ..on_prefect.blocks import blocks_of
        from ..running.opening import open_engine
        from ..serving.serve import serve as run_server

        await run_server(
            lambda: open_engine(folder, context.environment, block=blocks_of(folder)),
            host=host,
            port=port,
            all_on=all_on,
            ready=console.show_json,
            stop=stop,
        )

    _until_stopped(work, what=f"{host}:{port}")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--salesforce-port", default=8801, type=_PORT, show_default=True, help="0 picks a free one."
)
@click.option(
    "--partner-center-port", default=8802, type=_PORT, show_default=True, help="0 picks a free one."
)
@click.option("--seed", type=click.Choice(["demo", "empty"]), default="demo", show_default=True)
@click.pass_obj
def sandbox(
    context: Context, host: str, salesforce_port: int, partner_center_port: int, seed: str
) -> None:
    """Emulators of Salesforce and Partner Center on real sockets, until SIGTERM or Ctrl-C.

    Prints one JSON line when ready; its `env` holds the process environment that points a project
    here.
    """

    async def work(stop: asyncio.Event) -> None:
        from cosell_emulators.sandbox import run

        running = asyncio.ensure_future(
            run(host, salesforce_port, partner_center_port, seed, console.show_json)
        )
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            return

    _until_stopped(work, what=f"{host}:{salesforce_port} or {host}:{partner_center_port}")


def _until_stopped(work: Callable[[asyncio.Event], Awaitable[Any]], *, what: str) -> None:
    """Run *work* until SIGTERM or Ctrl-C, and word a taken port."""

    async def whole() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await work(stop)

    try:
        asyncio.run(whole())
    except OSError as error:
        if error.errno in _TAKEN or "address already in use" in str(error).lower():
            raise Failure(
                f"cannot listen on {what}: the port is in use",
                hint="stop what listens there, or choose another port; 0 picks a free one",
                code=console.UNREACHABLE,
            ) from error
        raise


_TAKEN = (98, 48, 10048)  # EADDRINUSE on Linux, macOS and Windows
