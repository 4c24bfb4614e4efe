"""Read secrets that are kept in Prefect's Secret blocks."""

from __future__ import annotations

from prefect import get_client
from prefect.exceptions import ObjectNotFound


def secret_block(name: str) -> str | None:
    """The value of the Secret block called *name*, or nothing where there is none.

    Settings are looked up while a client is made, which is no time to wait for another task; the
    server answers in milliseconds, and each value is asked for once.
    """
    with get_client(sync_client=True) as client:
        try:
            block = client.read_block_document_by_name(name, "secret", include_secrets=True)
        except ObjectNotFound:
            return None
    value = block.data.get("value")
    return None if value is None else str(value)
