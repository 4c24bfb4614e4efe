"""Hold the mappings against what a live Salesforce says it has: objects, fields, stages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.problems import Place, Problem, Severity, did_you_mean
from cosell_env.resolving import Environment

from ..on_prefect.blocks import blocks_of
from ..project import Project
from ..running.opening import environment_of
from ..syncing.mirror import Mirror, Row, mirror_of
from ..syncing.round_trips import Loss, losses
from .reaching import failure_of

Described = Mapping[str, Any]  # an object's describe, as the org gave it


Describe = Callable[[str], Awaitable[Described | None]]
"""Asks an org for an object; nothing where it has none of that name."""


def problems_against(root: Path, environment_name: str) -> list[Problem]:
    """What the mappings name and the org of that environment does not have."""
    project = Project(root=root, environment_name=environment_name, block=blocks_of(root))
    return asyncio.run(_ask(project, environment_of(project)))


async def _ask(project: Project, environment: Environment) -> list[Problem]:
    problems: list[Problem] = []
    for connection in sorted({one.right.connection for one in project.mappings.values()}):
        connector = project.connector_of(connection)
        if "describe" not in connector.operations:
            continue
        async with Client(connector, environment.connection(connection)) as client:
            try:
                problems += await compare(
                    project, environment, connection=connection, describe=_asking(client)
                )
            except ConnectorError as error:
                raise failure_of(error) from error
    return problems


def _asking(client: Client) -> Describe:
    async def describe(name: str) -> Described | None:
        try:
            found: Described = (await client.call("describe", {"object": name})).body
        except ConnectorError as error:
            if error.error_class == "not_found":
                return None
            raise
        return found

    return describe


async def compare(
    project: Project, environment: Environment, *, connection: str, describe: Describe
) -> list[Problem]:
    """Hold the mappings to *connection*, and the variables, against what the org describes."""
    org = _Org(describe)
    problems: list[Problem] = []
    for mapping in project.mappings.values():
        if mapping.right.connection == connection:
            problems += await _mapping(mapping, environment, org)
    return problems + await _variables(project, environment, org)


@dataclass(slots=True)
class _Org:
    """The describes of one org, each asked for once."""

    ask: Describe
    known: dict[str, Described | None] = field(default_factory=dict)

    async def describe(self, name: str) -> Described | None:
        """What the org says of an object; None where it has none of that name."""
        if name not in self.known:
            self.known[name] = await self.ask(name)
        return self.known[name]


async def _mapping(mapping: MappingFile, environment: Environment, org: _Org) -> list[Problem]:
    side = mapping.right
    described = await org.describe(side.object)
    if described is None:
        return [_no_object(side.object, side.place)]
    mirror = mirror_of(mapping, environment.values)
    problems = []
    for name, place in _own_fields(mirror):
        found = await _field(name, described, org)
        if isinstance(found, str):
            problems.append(_no_field(name, found, described, place))
    for row in mirror.rows:
        for path in row.right:
            found = await _field(path, described, org)
            if isinstance(found, str):
                owner = await _owner(path, described, org)
                problems.append(_no_field(path, found, owner or described, row.field.place))
            elif not _may_write(row, found):
                problems.append(_read_only(path, row.field.place))
            elif path != mirror.right_key:  # an identifier is what it is, however long
                problems += [_lost(path, one, row.field.place) for one in losses(row, found)]
    return problems


def _own_fields(mirror: Mirror) -> Iterator[tuple[str, Place]]:
    side = mirror.mapping.right
    yield mirror.right_key, side.place
    yield side.version, side.place
    if side.moment is not None:
        yield side.moment, side.place
    if mirror.audit is not None:
        yield mirror.audit.field, mirror.mapping.place


async def _field(path: str, described: Described, org: _Org) -> Mapping[str, Any] | str:
    """The description of a field, `Account.BillingCountry` too; or the object that lacks it."""
    *steps, last = path.split(".")
    here = described
    for step in steps:
        parent = await _parent(step, here, org)
        if parent is None:
            return str(here["name"])
        here = parent
    for one in here["fields"]:
        if str(one["name"]).lower() == last.lower():
            found: Mapping[str, Any] = one
            return found
    return str(here["name"])


async def _owner(path: str, described: Described, org: _Org) -> Described | None:
    here: Described | None = described
    for step in path.split(".")[:-1]:
        here = await _parent(step, here, org) if here is not None else None
    return here


async def _parent(relationship: str, described: Described, org: _Org) -> Described | None:
    for one in described["fields"]:
        if str(one.get("relationshipName")).lower() == relationship.lower() and one["referenceTo"]:
            return await org.describe(str(one["referenceTo"][0]))
    return None


def _may_write(row: Row, described: Mapping[str, Any]) -> bool:
    """Whether the sync may write the field wherever the row has it written."""
    if row.field.direction == "right_to_left" or row.field.when == "create":
        return row.field.direction == "right_to_left" or described.get("createable") is not False
    return described.get("updateable") is not False


async def _variables(project: Project, environment: Environment, org: _Org) -> list[Problem]:
    """Objects and stages that variables name."""
    problems = []
    declared = {one.name: one.place for one in project.documents.declarations}
    current = project.environment_file.variables
    for variable in environment.variables:
        place = current[variable.name][1] if variable.name in current else declared[variable.name]
        name = str(variable.value)
        if variable.type == "object" and await org.describe(name) is None:
            problems.append(_no_object(name, place, variable=variable.name))
        if variable.type == "stage":
            stages = await _stages(org)
            if stages and name not in stages:
                problems.append(_no_stage(name, stages, place, variable=variable.name))
    return problems


async def _stages(org: _Org) -> list[str]:
    described = await org.describe("Opportunity")
    for one in described["fields"] if described else ():
        if one["name"] == "StageName":
            return [value["value"] for value in one["picklistValues"] if value.get("active", True)]
    return []


def _no_object(name: str, place: Place, *, variable: str | None = None) -> Problem:
    whose = f"{variable} is {name!r}, and the org" if variable else "the org"
    return Problem(
        code="M040",
        place=place,
        message=f"{whose} has no object {name!r}, or this user may not see it",
        hint="make it in Setup > Object Manager, let the user read it, or name another",
    )


def _no_field(path: str, owner: str, described: Described, place: Place) -> Problem:
    names = [str(one["name"]) for one in described["fields"]]
    near = did_you_mean(path.rpartition(".")[2], names)
    return Problem(
        code="M041",
        place=place,
        message=f"{owner} has no field {path.rpartition('.')[2]!r}, or this user may not see it",
        hint=f"did you mean {near!r}?" if near
        else "make the field, let the user read it, or set the variable that names it",
    )  # fmt: skip


def _read_only(path: str, place: Place) -> Problem:
    return Problem(
        code="M042",
        place=place,
        message=f"{path} can be read, but this user may not write it",
        hint="give the user the right to edit the field; what computes itself is sent, never written: "
        "say direction: right_to_left",
        severity=Severity.WARNING,
    )


def _lost(path: str, loss: Loss, place: Place) -> Problem:
    return Problem(
        code="M044",
        place=place,
        message=f"what is written to {path} does not come back equal: {loss}",
        hint="name a value of the field in its table"
        if loss.of_a_table
        else "let the row name a field that can hold it, or say how it shall fit (type, max_length)",
        severity=Severity.WARNING,
    )


def _no_stage(name: str, stages: list[str], place: Place, *, variable: str) -> Problem:
    near = did_you_mean(name, stages)
    return Problem(
        code="M043",
        place=place,
        message=f"{variable} is {name!r}, which is no stage of the org",
        hint=f"did you mean {near!r}?" if near else f"stages: {', '.join(stages)}",
    )
