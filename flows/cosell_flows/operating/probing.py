"""Ask the other systems something small: can they be reached, and as whom."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Connector

from .health import listed
from .rights import missing
from .setting_up import describes_of

Status = Literal["ok", "refused", "unreachable", "untested", "incomplete"]
AWAY = frozenset({"unavailable", "timeout"})
_PATIENCE = 30.0  # seconds; a person waits for the answer

_CURES = {
    "missing_setting": "see `cosell connections list` for what each connection lacks",
    "unauthorized": "check client_id and the secrets: the other side does not know us",
    "forbidden": "the user of this connection lacks a right or a role over there",
    "not_found": "check base_url: there is something at that address, but not what was asked for",
    "rate_limited": "the other side was asked too often; wait a few minutes",
    "unavailable": "check base_url, token_url, and whether the other side is up",
    "timeout": "check base_url, token_url, and whether the other side is up",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What came of testing a connection."""

    name: str
    connector: str
    status: Status
    message: str
    hint: str | None = None
    missing_rights: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The probe as `connections test --json` prints it."""
        return {
            "name": self.name,
            "connector": self.connector,
            "status": self.status,
            "message": self.message,
            "hint": self.hint,
            "missing_rights": list(self.missing_rights),
        }


async def probe(client: Client, rights: Mapping[str, set[str]]) -> Probe:
    """Ask the other side something that changes nothing, and say what came of it.

    *rights*: what the flows do with which records; asked of systems that describe their objects.
    """
    connector, connection = client.connector, client.connection
    question = _question(connector)
    if question is None:
        return Probe(
            name=connection.name,
            connector=connector.name,
            status="untested",
            message="its connector has no operation that reads something without being told what",
        )
    operation, arguments = question
    try:
        async with asyncio.timeout(_PATIENCE), client:
            reply = await client.call(operation, arguments)
            lacks = await _lacking(client, rights)
    except ConnectorError as error:
        return Probe(
            name=connection.name,
            connector=connector.name,
            status=_status(error),
            message=said(error),
            hint=cure(error),
        )
    except TimeoutError:
        return Probe(
            name=connection.name,
            connector=connector.name,
            status="unreachable",
            message=f"no answer within {_PATIENCE:g} seconds",
            hint=_CURES["timeout"],
        )
    welcome = _welcome(connector.name, reply.body)
    if lacks:
        return Probe(
            name=connection.name,
            connector=connector.name,
            status="refused",
            message=f"{welcome}; but this user {listed(lacks)}",
            hint=_CURES["forbidden"],
            missing_rights=tuple(lacks),
        )
    return Probe(name=connection.name, connector=connector.name, status="ok", message=welcome)


def _status(error: ConnectorError) -> Status:
    if error.code == "missing_setting":
        return "incomplete"
    return "unreachable" if error.error_class in AWAY else "refused"


async def _lacking(client: Client, rights: Mapping[str, set[str]]) -> list[str]:
    """What the user may not do of what the flows do."""
    if "describe" not in client.connector.operations or not rights:
        return []
    return missing(rights, await describes_of(client, list(rights)))


def said(error: ConnectorError) -> str:
    """What the other side said, or why nothing came back."""
    if error.code == "missing_setting" or not error.code or error.code in error.message:
        return error.message
    return f"{error.code}: {error.message}"


def cure(error: ConnectorError) -> str | None:
    """What to do about it."""
    if error.code == "missing_setting":
        return None  # the message says it already
    return _CURES.get(error.error_class)


def _question(connector: Connector) -> tuple[str, Mapping[str, Any]] | None:
    """The operation to test with: a known one, or any that reads and needs nothing."""
    known: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("who_am_i", {}),
        ("list_referrals", {"top": 1}),
        ("list_events", {}),
    )
    for name, arguments in known:
        if name in connector.operations:
            return name, arguments
    for name, operation in connector.operations.items():
        needed = [one for one in operation.parameters if one.required and one.default is None]
        if operation.effect == "read" and not needed:
            return name, {}
    return None


def _welcome(connector: str, body: Any) -> str:
    if isinstance(body, Mapping):
        user = body.get("preferred_username") or body.get("email") or body.get("name")
        if user:
            org = body.get("organization_id")
            return f"signed in as {user}" + (f" in org {org}" if org else "")
        if isinstance(body.get("value"), list):
            return (
                "signed in; referrals can be read"
                if body["value"]
                else "signed in; no referrals yet"
            )
    if isinstance(body, list):
        return f"signed in; it knows {len(body)} events"
    return f"signed in to {connector}"
