"""What of an org's health can be told from what it describes of itself. Pure but for `asked`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_definitions.problems import did_you_mean

from .comparing import Described, OrgFacts, Step, field_in, steps
from .health import Check, failed, listed, ok, warning
from .rights import missing
from .setting_up import describes_of, org_facts
from .wanted import Wanted

_CLOSED = ("Closed Won", "Closed Lost")
_LEFT_FOR_PEOPLE = 0.2  # of the day's calls
# A profile is a permission set, too; which one a user has stands on the user.
_PROFILE = "SELECT ProfileId FROM User WHERE Id = '{}'"
_BY_PROFILE = (
    "SELECT Id FROM PermissionSet WHERE ProfileId = '{}' AND PermissionsCustomizeApplication = true"
)
_BY_ASSIGNMENT = (
    "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{}'"
    " AND PermissionSet.PermissionsCustomizeApplication = true"
)
_CURRENCIES = "SELECT IsoCode FROM CurrencyType WHERE IsActive = true"
_COUNTRIES = (
    "SELECT Account.{country} FROM Opportunity WHERE {sync} = true"
    " AND IsClosed = false GROUP BY Account.{country}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgReport:
    """Everything that was asked of an org."""

    wanted: Wanted
    facts: OrgFacts
    rights: Mapping[str, set[str]]
    values: Mapping[str, object]  # the environment's variables
    customizes: bool | None = None  # whether the user may change the org; None: cannot be told
    currencies: tuple[str, ...] | None = None  # active ones; None: the org has one currency
    countries: tuple[str, ...] = ()  # of the accounts of shared, open deals
    calls: tuple[int, int] | None = None  # left, of the day's
    describes: Mapping[str, Described | None] = field(default_factory=dict)


async def asked(
    client: Client,
    wanted: Wanted,
    *,
    rights: Mapping[str, set[str]],
    values: Mapping[str, object],
) -> OrgReport:
    """Ask the org; raises ConnectorError where it cannot be reached."""
    user = str((await client.call("who_am_i", {})).body["user_id"])
    facts = await org_facts(client, wanted)
    more = await describes_of(client, [name for name in rights if name not in facts.describes])
    countries: Sequence[Any] = ()
    country, sync = values.get("COUNTRY_CODE_FIELD"), values.get("SYNC_FIELD")
    if country and sync:
        rows = await _rows(client, _COUNTRIES.format(country=country, sync=sync)) or ()
        countries = [row.get(country) for row in rows]
    currencies = await _rows(client, _CURRENCIES)
    return OrgReport(
        wanted=wanted,
        facts=facts,
        rights=rights,
        values=values,
        customizes=await _customizes(client, user),
        currencies=None if currencies is None else tuple(row["IsoCode"] for row in currencies),
        countries=tuple(str(one or "") for one in countries),
        calls=await _calls(client),
        describes={**facts.describes, **more},
    )


async def _rows(client: Client, q: str) -> list[Any] | None:
    """The rows of a query; None where the org does not know what it asks for."""
    try:
        rows: list[Any] = (await client.collect("query", {"q": q}))["records"]
    except ConnectorError as error:
        if error.error_class in ("invalid", "not_found", "forbidden"):
            return None
        raise
    return rows


async def _customizes(client: Client, user: str) -> bool | None:
    """Whether a user may change the org, by their profile or by a permission set."""
    profile = await _rows(client, _PROFILE.format(user))
    given = await _rows(client, _BY_ASSIGNMENT.format(user))
    if given is None or not profile:
        return None
    by_profile = await _rows(client, _BY_PROFILE.format(profile[0]["ProfileId"]))
    return bool(given or by_profile)


async def _calls(client: Client) -> tuple[int, int] | None:
    daily = ((await client.call("limits", {})).body or {}).get("DailyApiRequests")
    return (int(daily["Remaining"]), int(daily["Max"])) if daily else None


def of_org(report: OrgReport) -> Iterator[Check]:
    """Every check of an org."""
    yield from _setup(steps(report.wanted, report.facts))
    yield _rights(report)
    yield _administrator(report)
    yield from _stages(report)
    yield from _deal_value(report)
    yield _currencies(report)
    yield from _countries(report)
    if report.calls is not None:
        left, most = report.calls
        told = f"{left} of the day's {most} calls are left"
        few = left < most * _LEFT_FOR_PEOPLE
        hint = "the sync leaves the rest to people; ask for more calls, or run schedules less often"
        yield warning("salesforce.calls", told, hint) if few else ok("salesforce.calls", told)


def _setup(todo: Sequence[Step]) -> Iterator[Check]:
    for one in todo:
        hint = one.hint if one.making == "by_hand" else "cosell setup salesforce --apply"
        soft = one.making in ("setting", "related_list")
        said = f"the org is not ready; to do: {one.message}"
        make = warning if soft else failed
        yield make(f"salesforce.{one.id}", one.message if one.making == "by_hand" else said, hint)
    if not todo:
        yield ok("salesforce.setup", "the org has every field, object and list that is needed")


def _rights(report: OrgReport) -> Check:
    lacks = missing(report.rights, report.describes)
    if lacks:
        hint = (
            "give the connection's user a permission set with these rights: Setup > Permission Sets"
        )
        return failed("salesforce.rights", f"the connection's user {listed(lacks)}", hint)
    return ok("salesforce.rights", "the connection's user may do what the flows do")


def _administrator(report: OrgReport) -> Check:
    name = "salesforce.customizer"
    if report.customizes is None:
        return warning(name, "it cannot be told whether the user may customize the application")
    if not report.customizes:
        hint = "needed for `cosell setup salesforce` only: Setup > Profiles > Customize Application"
        return warning(name, "the connection's user may not customize the application", hint)
    return ok(name, "the connection's user may customize the application")


def _stages(report: OrgReport) -> Iterator[Check]:
    described = report.describes.get("Opportunity")
    there = field_in(described, "StageName") if described else None
    if there is None:
        return
    known = [one["value"] for one in there["picklistValues"] if one.get("active", True)]
    wanted = {name: str(report.values.get(name, "")) for name in ("ON_HOLD_STAGE", "ACTIVE_STAGE")}
    for variable, stage in wanted.items():
        if stage not in known:
            near = did_you_mean(stage, known)
            cure = f"cosell env set {variable} {near!r}" if near else f"stages: {', '.join(known)}"
            said = f"{variable} is {stage!r}, which is no active stage of the org"
            yield failed(f"salesforce.stage:{variable}", said, cure)
    if wanted["ON_HOLD_STAGE"] == wanted["ACTIVE_STAGE"]:
        said = "ON_HOLD_STAGE and ACTIVE_STAGE are the same: nothing could be accepted"
        yield failed("salesforce.stages", said, "cosell env set ACTIVE_STAGE STAGE")
    lacks = [stage for stage in _CLOSED if stage not in known]
    if lacks:
        said = f"the org has no stage {' and no '.join(lacks)}, which close a referral"
        hint = "map your own closing stages: the table `stages` in referral-opportunity.map.yaml"
        yield warning("salesforce.closing_stages", said, hint)


def _deal_value(report: OrgReport) -> Iterator[Check]:
    variable = str(report.values.get("DEAL_VALUE_FIELD", ""))
    described = report.describes.get("Opportunity")
    there = field_in(described, variable) if described else None
    if there is None:
        return
    name = "salesforce.deal_value"
    if there.get("calculated"):
        told = f"{variable} (DEAL_VALUE_FIELD) computes itself"
        yield ok(name, f"{told}: it is sent, and what Microsoft says of it is never written")
    elif there.get("updateable") is False:
        said = f"{variable} (DEAL_VALUE_FIELD) may not be written by the connection's user"
        hint = (
            "give the user the right to edit it; where nobody has it, write direction: "
            "right_to_left in its row of referral-opportunity.map.yaml: it travels out only then"
        )
        yield warning(name, said, hint)


def _currencies(report: OrgReport) -> Check:
    name, variable = "salesforce.currencies", str(report.values.get("DEAL_CURRENCY_FIELD", ""))
    if report.currencies is None:
        if variable == "CurrencyIsoCode":
            hint = (
                "make a text field for the code and run: cosell env set DEAL_CURRENCY_FIELD NAME__c"
            )
            return failed(name, "the org has one currency only, and no CurrencyIsoCode", hint)
        return ok(name, f"one currency; its code is kept in {variable}")
    return ok(name, f"active currencies: {', '.join(sorted(report.currencies))}")


def _countries(report: OrgReport) -> Iterator[Check]:
    name, variable = "salesforce.countries", str(report.values.get("COUNTRY_CODE_FIELD", ""))
    account = report.describes.get("Account")
    if account and variable == "BillingCountry" and field_in(account, "BillingCountryCode"):
        said = "country picklists are on: BillingCountry holds names, not codes of two letters"
        yield failed(name, said, "cosell env set COUNTRY_CODE_FIELD BillingCountryCode")
        return
    odd = sorted({one for one in report.countries if not re.fullmatch(r"[A-Za-z]{2}", one.strip())})
    if odd:
        shown = listed(one or "(empty)" for one in odd)
        said = f"accounts of shared deals have no code of two letters in {variable}: {shown}"
        yield warning(
            name, said, "write the ISO 3166 code there, such as DK; or name another field"
        )
    else:
        yield ok(name, f"accounts of shared deals have a country code in {variable}")
