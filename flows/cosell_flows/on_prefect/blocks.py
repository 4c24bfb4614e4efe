"""Read secrets that are kept in Prefect's Secret blocks."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from cosell_env.connections import Block, BlockUnreachable

from .surroundings import api_url_given, served_api, settle

_PATIENCE_S = 30.0


def blocks_of(project: Path) -> Block:
    """A reader of the blocks of the Prefect server that a project works with, asked when needed."""
    return partial(_read, project / ".cosell")


def _read(state: Path, name: str) -> str | None:
    api_url = api_url_given() or served_api(state)
    if api_url is None:
        raise BlockUnreachable("no Prefect server runs for this project: start cosell serve")
    settle(state / "prefect", api_url)
    found: list[str | None] = []
    troubles: list[Exception] = []

    def ask() -> None:
        try:
            found.append(_asked(name))
        except Exception as error:  # noqa: BLE001 - told below, in the thread that waits
            troubles.append(error)

    # Settings are looked up while a client is made, mostly inside an event loop; Prefect's own
    # synchronous client wants a thread without one. Each value is asked for once.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    if not found:
        why = str(troubles[0]) or type(troubles[0]).__name__ if troubles else "it does not answer"
        raise BlockUnreachable(f"Prefect at {api_url} could not be asked: {why}")
    return found[0]


def _asked(name: str) -> str | None:
    # Importing Prefect takes two seconds, and few projects keep secrets there.
    from prefect import get_client  # noqa: PLC0415
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        try:
            block = client.read_block_document_by_name(name, "secret", include_secrets=True)
        except ObjectNotFound:
            return None
    value = block.data.get("value")
    return None if value is None else str(value)
