"""Look at everything that keeps the sync from working: files, ledger, and both systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_definitions.problems import Unsound
from cosell_env.resolving import Environment

from ..ledger import Ledger
from ..project import Project
from . import partner_center_checks, project_checks, salesforce_checks
from .health import Check, Status, failed, skipped
from .probing import AWAY, cure, said
from .rights import needed
from .wanted import wanted

REGISTRATION = "webhook-registration"
ADDRESS = "http_trigger_endpoint"
_SEEN = 50  # referrals that are looked at


async def examine(
    project: Project,
    environment: Environment,
    ledger: Ledger | None,
    *,
    told: Callable[[str], object] = lambda what: None,
) -> list[Check]:
    """Every check of a project in one environment. *told* hears what is being looked at."""
    told("the files")
    checks = list(project_checks.of_files(project.root, environment))
    if ledger is None:
        checks.append(skipped("ledger", "nothing has run yet, so there is no ledger"))
    else:
        told("the ledger")
        checks += await project_checks.of_ledger(ledger, project.flows)
    told("Salesforce")
    checks += await _asking("salesforce", project, environment, _salesforce)
    told("Partner Center")
    checks += await _asking("partner_center", project, environment, _referrals)
    ours = await _registered_by_us(ledger) if ledger else None
    told("the webhook registration")

    async def registration(client: Client, *_: Any) -> list[Check]:
        return list(partner_center_checks.of_registration(await _registration(client), ours=ours))

    return checks + await _asking("partner_center_events", project, environment, registration)


async def _asking(
    connection: str, project: Project, environment: Environment, ask: Any
) -> list[Check]:
    """What a system answers; or why it does not."""
    name = f"connection.{connection}"
    try:
        connector = project.connector_of(connection)
    except Unsound as unsound:
        return [failed(name, str(unsound.problems[0].message), unsound.problems[0].hint)]
    try:
        async with Client(connector, environment.connection(connection)) as client:
            checks: list[Check] = await ask(client, project, environment)
    except ConnectorError as error:
        status: Status = "unreachable" if error.error_class in AWAY else "failed"
        return [Check(id=name, status=status, message=said(error), hint=cure(error))]
    return [Check(id=name, status="ok", message=f"{connector.title} answers"), *checks]


async def _salesforce(client: Client, project: Project, environment: Environment) -> list[Check]:
    values: Mapping[str, object] = environment.values
    rights = needed(
        "salesforce", client.connector, project.flows.values(), project.mappings.values()
    )
    report = await salesforce_checks.asked(
        client,
        wanted(project.documents.declarations, values),
        rights=rights,
        values=values,
    )
    return list(salesforce_checks.of_org(report))


async def _referrals(client: Client, *_: Any) -> list[Check]:
    reply = await client.call("list_referrals", {"top": _SEEN})
    return list(partner_center_checks.of_referrals(reply.body.get("value") or ()))


async def _registration(client: Client) -> Mapping[str, Any] | None:
    try:
        body: Mapping[str, Any] = (await client.call("view_registration", {})).body
    except ConnectorError as error:
        if error.error_class == "not_found":
            return None
        raise
    return body


async def _registered_by_us(ledger: Ledger) -> str | None:
    """The address that this project registered last."""
    for run in await ledger.runs.list(20, flow=REGISTRATION):
        if run.status in ("succeeded", "skipped") and run.inputs.get(ADDRESS):
            return str(run.inputs[ADDRESS])
    return None
