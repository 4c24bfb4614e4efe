"""Find out what an org has of what is wanted, and make what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError

from .comparing import PERMISSION_SET, SETTINGS, Described, OrgFacts, Step, field_in, related_list
from .packaging import package, with_related_list
from .wanted import Wanted

_LOOK_S = 1.0
_PATIENCE_S = 600.0  # a deployment waits in the org's own queue
# API names and ids go into these, which hold no quotes: their types say so.
_ASSIGNED = (
    "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{}' AND PermissionSet.Name = '{}'"
)
_PERMISSION_SET = "SELECT Id FROM PermissionSet WHERE Name = '{}'"
_CUSTOM_FIELDS = (
    "SELECT DeveloperName FROM CustomField WHERE EntityDefinition.QualifiedApiName = '{}'"
)
_LAYOUTS = "SELECT Id, Name FROM Layout WHERE TableEnumOrId = '{}'"


class NotMade(Exception):
    """The org refused what was to be made; the message names each thing with its reason."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.hint = "nothing of the package was made; mend what it says, and run it again"
        super().__init__("Salesforce refused it: " + "; ".join(reasons))


async def describes_of(client: Client, names: Sequence[str]) -> dict[str, Described | None]:
    """Each object's describe; None where there is none, or the user may not see it."""

    async def one(name: str) -> Described | None:
        try:
            found: Described = (await client.call("describe", {"object": name})).body
        except ConnectorError as error:
            if error.error_class == "not_found":
                return None
            raise
        return found

    found = await asyncio.gather(*(one(name) for name in names))
    return dict(zip(names, found, strict=True))


async def org_facts(client: Client, wanted: Wanted) -> OrgFacts:
    """Ask the org everything that the comparison needs."""
    describes = await describes_of(client, [*wanted.described, *SETTINGS])
    parents = {
        shape.parent
        for one in wanted.objects
        for shape in one.shape.fields.values()
        if shape.kind == "master_detail" and shape.parent
    }
    layouts: dict[str, tuple[str, ...]] = {}
    for parent in sorted(parents):
        for _, name, metadata in await _layouts(client, parent):
            lists = metadata.get("relatedLists") or ()
            layouts[name] = tuple(str(one.get("relatedList")) for one in lists)
    return OrgFacts(
        describes=describes,
        hidden=await _hidden(client, wanted, describes),
        layouts=layouts,
        assigned=await _is_assigned(client),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Makes what is missing in one org."""

    client: Client
    wanted: Wanted
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def make(self, todo: Sequence[Step], *, done: Callable[[Step], None]) -> None:
        """Do every step that an API can do; raises NotMade, and ConnectorError."""
        version = self.client.connection.text("api_version") or self.client.connector.settings.get(
            "api_version", "v68.0"
        )
        content = package(todo, self.wanted, version=version.removeprefix("v"))
        if content is not None:
            await self._deploy(content)
        for step in todo:
            match step.making:
                case "assignment":
                    await self._assign()
                case "related_list":
                    await self._relate(step)
                case "by_hand":
                    continue
            done(step)

    async def _deploy(self, content: bytes) -> None:
        options = {"rollbackOnError": True, "singlePackage": True, "checkOnly": False}
        asked = await self.client.call(
            "deploy", {"options": {"deployOptions": options}, "package": content}
        )
        waited = 0.0
        while True:
            answer = await self.client.call("deploy_status", {"id": asked.body["id"]})
            result = answer.body["deployResult"]
            if result["done"]:
                break
            if waited > _PATIENCE_S:
                raise NotMade(["it is not done after ten minutes; see Setup > Deployment Status"])
            await self.sleep(_LOOK_S)
            waited += _LOOK_S
        if not result["success"]:
            details = result.get("details") or {}
            failures = details.get("componentFailures") or ()
            told = [f"{one['fullName'] or one['fileName']}: {one['problem']}" for one in failures]
            raise NotMade(told or [str(result.get("errorMessage") or result["status"])])

    async def _assign(self) -> None:
        if await _is_assigned(self.client):
            return
        q = _PERMISSION_SET.format(PERMISSION_SET)
        rows = (await self.client.call("query", {"q": q})).body["records"]
        if not rows:
            raise NotMade([f"there is no permission set {PERMISSION_SET} to give"])
        fields = {"AssigneeId": await _user(self.client), "PermissionSetId": rows[0]["Id"]}
        await self.client.call(
            "create_record", {"object": "PermissionSetAssignment", "fields": fields}
        )

    async def _relate(self, step: Step) -> None:
        assert step.object is not None
        name = related_list(step.object)
        assert name is not None
        parent = next(
            shape.parent
            for shape in step.object.shape.fields.values()
            if shape.kind == "master_detail"
        )
        for key, layout, metadata in await _layouts(self.client, str(parent)):
            if layout == step.layout:
                changed = with_related_list(metadata, step.object, name)
                await self.client.call("update_layout", {"id": key, "metadata": changed})


async def _hidden(
    client: Client, wanted: Wanted, describes: Mapping[str, Described | None]
) -> frozenset[str]:
    """Custom fields that exist, but that this user may not see: in the setup, not in the describe."""
    there: set[str] = set()
    for name in wanted.described:
        q = _CUSTOM_FIELDS.format(name)
        try:
            rows = (await client.call("tooling_query", {"q": q})).body["records"]
        except ConnectorError as error:
            if error.error_class in ("forbidden", "invalid", "not_found"):
                return frozenset()  # whoever may not look at the setup cannot tell
            raise
        there |= {f"{name}.{row['DeveloperName']}__c".lower() for row in rows}
    return frozenset(
        one.full_name
        for one in wanted.every_field
        if one.full_name.lower() in there and not _is_seen(describes.get(one.object), one.name)
    )


def _is_seen(described: Described | None, name: str) -> bool:
    return described is not None and field_in(described, name) is not None


async def _layouts(client: Client, owner: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Id, name and content of the page layouts of an object."""
    q = _LAYOUTS.format(owner)
    try:
        rows = (await client.call("tooling_query", {"q": q})).body["records"]
        layouts = [(await client.call("get_layout", {"id": row["Id"]})).body for row in rows]
    except ConnectorError as error:
        if error.error_class in ("forbidden", "invalid", "not_found"):
            return []
        raise
    return [
        (row["Id"], row["Name"], layout.get("Metadata") or {})
        for row, layout in zip(rows, layouts, strict=True)
    ]


async def _user(client: Client) -> str:
    return str((await client.call("who_am_i", {})).body["user_id"])


async def _is_assigned(client: Client) -> bool:
    q = _ASSIGNED.format(await _user(client), PERMISSION_SET)
    return bool((await client.call("query", {"q": q})).body["records"])
