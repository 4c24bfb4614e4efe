"""`cosell connections`: what is bound to what, and whether it can be reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .remembered import project_of

if TYPE_CHECKING:
    from cosell_connectors.model import Connector
    from cosell_env.connections import Connection

    from ..operating.probing import Probe
    from ..project import Project

_SIGNS = {"ok": "✔", "refused": "✘", "unreachable": "✘", "untested": "–", "incomplete": "✘"}


@click.group()
def connections() -> None:
    """Connections: one system bound to one account, for each environment.

    \b
    cosell connections list
    cosell --env staging connections test salesforce
    """


@connections.command("list")
@click.pass_obj
def list_(context: Context) -> None:
    """The connections of this environment, and what each still lacks. Nothing is sent."""
    rows = [_bound(connector, connection) for connector, connection in _known(context)]
    if context.as_json:
        console.show_json({"connections": rows})
        return
    console.table(
        ([row["name"], row["connector"], row["status"], row["address"]] for row in rows),
        ("connection", "connector", "status", "address"),
    )
    for row in rows:
        if row["message"]:
            say(f"{row['name']}: {row['message']}")


@connections.command()
@click.argument("name", required=False)
@click.pass_obj
def test(context: Context, name: str | None) -> None:
    """Can each connection, or NAME, be reached, as whom, and with which rights. Nothing is changed.

    Ends with 3 when a system cannot be reached, with 1 when one says no.

    \b
    cosell connections test
    cosell --env production connections test partner_center
    """
    known = _known(context)
    if name is not None:
        names = [connection.name for _, connection in known]
        if name not in names:
            raise _no_connection(name, names)
        known = [pair for pair in known if pair[1].name == name]
    probes = asyncio.run(_probe_all(known, project_of(context)))
    if context.as_json:
        console.show_json({"connections": [probe.as_json() for probe in probes]})
    else:
        for probe in probes:
            say(f"{_SIGNS[probe.status]} {probe.name}: {probe.message}")
            if probe.hint:
                say(f"  hint: {probe.hint}")
    found = {probe.status for probe in probes}
    if "unreachable" in found:
        raise SystemExit(console.UNREACHABLE)
    if found & {"refused", "incomplete"}:
        raise SystemExit(console.NO)


async def _probe_all(known: list[tuple[Connector, Connection]], project: Project) -> list[Probe]:
    from cosell_connectors.client import Client

    from ..operating.probing import probe
    from ..operating.rights import needed

    flows, mappings = project.flows.values(), project.mappings.values()

    async def one(connector: Connector, connection: Connection) -> Probe:
        rights = needed(connection.name, connector, flows, mappings)
        return await probe(Client(connector, connection), rights)

    return await asyncio.gather(*(one(*pair) for pair in known))


def _no_connection(name: str, names: list[str]) -> Failure:
    from cosell_definitions.problems import did_you_mean

    near = did_you_mean(name, names)
    return Failure(
        f"there is no connection {name!r}",
        hint=f"did you mean {near!r}?" if near else f"connections: {', '.join(names)}",
        code=console.USAGE,
    )


def _known(context: Context) -> list[tuple[Connector, Connection]]:
    """Every connection that this environment binds, or that a flow or mapping names."""
    from ..running.opening import environment_of

    project = project_of(context)
    environment = environment_of(project)
    names = dict.fromkeys(environment.connections)
    for mapping in project.mappings.values():
        names |= dict.fromkeys((mapping.left.connection, mapping.right.connection))
    for flow in project.flows.values():
        names |= dict.fromkeys(flow.uses_connections)
        names |= dict.fromkeys(one.connection for one in flow.triggers if one.connection)
    return [(project.connector_of(name), environment.connection(name)) for name in sorted(names)]


def _bound(connector: Connector, connection: Connection) -> dict[str, Any]:
    from cosell_connectors.signing import choose
    from cosell_env.connections import MissingSetting

    status, message = "ready", ""
    address: str | None = None
    try:
        address = connection.text("base_url") or connector.base_url
        if address is None:
            connection.require("base_url")
        choose(connector, connection)
        # A setting without a default stands in a path, or in the address of the sign-in.
        signs_in_elsewhere = connection.text("token_url") is not None
        unset = [name for name, default in connector.settings.items() if not default]
        unset = [] if signs_in_elsewhere else unset
        for key in (*_needed(connector, connection), *unset):
            connection.require(key)
    except MissingSetting as missing:
        status, message = "incomplete", str(missing)
    return {
        "name": connection.name,
        "connector": connector.name,
        "status": status,
        "message": message,
        "hint": None,
        "address": address,
    }


def _needed(connector: Connector, connection: Connection) -> tuple[str, ...]:
    """The settings that the way to sign in asks for."""
    from cosell_connectors.signing import choose

    auth = choose(connector, connection)
    needs = {
        "refresh_token": ("client_id", "refresh_token"),
        "client_credentials": ("client_id", "client_secret"),
        "jwt_bearer": ("client_id", "username", "private_key"),
        "password": ("client_id", "username", "password"),
        "bearer": ("token",),
        "basic": ("username", "password"),
        "api_key": ("api_key",),
    }
    return needs[auth.type] if auth is not None else ()
