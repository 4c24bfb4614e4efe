"""The shipped mappings made concrete, and pairs of records to merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cosell_definitions.model_mappings import MapField
from cosell_definitions.parsing import load_mapping
from cosell_flows.ledger.links import Link
from cosell_flows.syncing.mirror import Mirror, Row, mirror_of
from cosell_flows.syncing.pairs import PairPlan, plan_pair

HOUSE = Path(__file__).parents[3]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ENV = {
    "REFERRAL_ID_FIELD": "Referral_Identifier__c", "REFERRAL_LINK_FIELD": "Referral_Link__c",
    "SYNC_FIELD": "Sync_with_Partner_Center__c", "HELP_FIELD": "How_can_Microsoft_help__c",
    "VISIBILITY_FIELD": "Referral_Visibility__c", "AUDIT_FIELD": "Audit__c",
    "MICROSOFT_CRM_ID_FIELD": "Microsoft_CRM_Identifier__c", "DISPLAY_CHECK_MARK": True,
    "ON_HOLD_STAGE": "Prospecting", "ACTIVE_STAGE": "Qualification",
    "COUNTRY_CODE_FIELD": "BillingCountry", "DEAL_VALUE_FIELD": "Amount",
    "DEAL_CURRENCY_FIELD": "CurrencyIsoCode", "AUDIT_LANGUAGE": "English",
}  # fmt: skip
UPDATABLE = (
    "consent.consentToShareReferralWithMicrosoftSellers", "details.closingDateTime",
    "details.currency", "details.dealValue", "details.notes", "status", "substatus",
)  # fmt: skip


def shipped_mapping(name: str) -> Mirror:
    """A shipped mapping with the default names."""
    file = f"definitions/cosell/{name}.map.yaml"
    mapping, problems = load_mapping((HOUSE / file).read_bytes(), file=file)
    assert mapping is not None, problems
    return mirror_of(mapping, ENV, updatable=UPDATABLE)


@pytest.fixture(scope="session")
def mirror() -> Mirror:
    """How an opportunity mirrors its referral."""
    return shipped_mapping("referral-opportunity")


def with_row(mirror: Mirror, left: str, **changes: Any) -> Mirror:
    """The same mapping, with one row said differently."""

    def changed(row: Row) -> Row:
        if row.left != (left,):
            return row
        field: MapField = replace(row.field, **changes)
        return replace(row, field=field)

    return replace(mirror, rows=tuple(changed(row) for row in mirror.rows))


def referral(**fields: Any) -> dict[str, Any]:
    """An accepted referral of ours, in step with `opportunity()`."""
    return {
        "id": "r-1", "eTag": "1", "updatedDateTime": "2026-03-01T10:00:00Z", "name": "Deal",
        "status": fields.pop("status", "Active"), "substatus": fields.pop("substatus", "Accepted"),
        "details": {
            "dealValue": fields.pop("value", 1000), "currency": fields.pop("currency", "DKK"),
            "closingDateTime": fields.pop("closing", "2027-03-31T00:00:00Z"),
            "notes": fields.pop("notes", None),
        },
        "inviteContext": {"assistanceRequestCode": fields.pop("help", "Unknown")},
        "consent": {
            "consentToShareReferralWithMicrosoftSellers": fields.pop("visible", False)
        },
        "customerProfile": {"address": {"country": fields.pop("country", "DK")}},
        "trackingInfo": {"microsoftMsxId": fields.pop("msx", None)},
        **fields,
    }  # fmt: skip


def opportunity(**fields: Any) -> dict[str, Any]:
    """An opportunity that says the same as `referral()`."""
    return {
        "Id": "006", "SystemModstamp": "2026-03-01T10:00:00.000+0000", "Name": "✔ Deal",
        "Amount": 1000, "CurrencyIsoCode": "DKK", "CloseDate": "2027-03-31", "Description": None,
        "StageName": "Qualification", "How_can_Microsoft_help__c": None,
        "Referral_Visibility__c": False, "Microsoft_CRM_Identifier__c": None,
        "Account": {"Id": "001", "BillingCountry": "DK", "SystemModstamp": "2026-01-01T00:00:00Z"},
        "AccountId": "001", "Referral_Identifier__c": "r-1",
        "Referral_Link__c": "https://partner.microsoft.com/referrals/v2/inbox?id=r-1",
        "Sync_with_Partner_Center__c": True, "Audit__c": None, **fields,
    }  # fmt: skip


def linked(plan: PairPlan, before: Link | None = None) -> Link:
    """The link as the ledger has it once *plan* is carried out."""
    known = before or Link(mapping=plan.mirror.id, left_id=plan.left_id, right_id=plan.right_id)
    return replace(
        known, base_left=plan.base_left, base_right=plan.base_right,
        left_moment=plan.left_moment, right_moment=plan.right_moment,
        notes={**known.notes, **plan.keeps},
    )  # fmt: skip


def in_step(mirror: Mirror, left: Mapping[str, Any], right: Mapping[str, Any]) -> Link:
    """The link of two records that say the same."""
    plan = plan_pair(mirror, None, left, right, now=NOW)
    assert (plan.to_left, plan.to_right) == ((), ())
    return replace(
        linked(plan), left_version=left["eTag"], right_version=right["SystemModstamp"],
        left_moment=None, right_moment=None,
    )  # fmt: skip


def written(record: Mapping[str, Any], writes: Any) -> dict[str, Any]:
    """A record after *writes*."""
    after: dict[str, Any] = {
        key: {**value} if isinstance(value, Mapping) else value for key, value in record.items()
    }
    for write in writes:
        *parents, last = write.field.split(".")
        spot = after
        for parent in parents:
            spot[parent] = dict(spot[parent])
            spot = spot[parent]
        spot[last] = write.new
    return after
