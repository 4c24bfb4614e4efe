"""What a stage decides about an opportunity, and how its contacts and notes hang on it."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from cosell_emulators.salesforce.store import Row, Store

# The name sellers see and the fixed category behind it differ in three cases.
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
_CATEGORY = {"Best Case": "BestCase", "Commit": "Forecast", "Most Likely": "MostLikely"}
_CENT = Decimal("0.01")


class Make(Protocol):
    """Makes a row the platform adds by itself."""

    def __call__(self, name: str, values: Mapping[str, Any], doing_now: datetime, /) -> Row:
        """Insert the row."""


def complete(
    store: Store,
    values: dict[str, Any],
    row: Row | None,
    *,
    now: datetime,
    named: Mapping[str, Any],
) -> None:
    """Fill in what follows from stage, amount and date; what the caller names wins."""
    moved = row is None or row.get("StageName") != values["StageName"]
    stage = next(iter(store["OpportunityStage"].having("MasterLabel", values["StageName"])), None)
    if stage is not None:
        values["StageName"] = stage.get("MasterLabel")
    if moved:
        values["LastStageChangeDate"] = now.replace(microsecond=0) if row is not None else None
        _follow(values, stage, row, named)
    values["IsClosed"] = stage is not None and stage.get("IsClosed")
    values["IsWon"] = stage is not None and stage.get("IsWon")
    shown = values.get("ForecastCategoryName") or "Pipeline"
    values["ForecastCategoryName"] = shown
    values["ForecastCategory"] = _CATEGORY.get(shown, shown)
    amount, likely = values.get("Amount"), values.get("Probability")
    values["ExpectedRevenue"] = (
        None
        if amount is None or likely is None
        else (amount * likely / 100).quantize(_CENT, ROUND_HALF_UP)
    )
    _fiscal(values, values["CloseDate"])


def _follow(
    values: dict[str, Any], stage: Row | None, row: Row | None, named: Mapping[str, Any]
) -> None:
    """Let the stage set probability and forecast, unless the same call names them."""
    by_stage = {
        "Probability": Decimal(0) if stage is None else stage.get("DefaultProbability"),
        "ForecastCategoryName": (
            "Pipeline" if stage is None else stage.get("ForecastCategoryName")
        ),
    }
    for name, value in by_stage.items():
        given = values.get(name) if row is None else named.get(name)
        values[name] = value if given is None else given


def _fiscal(values: dict[str, Any], closes: date) -> None:
    quarter = (closes.month + 2) // 3
    values["FiscalYear"], values["FiscalQuarter"] = closes.year, quarter
    values["Fiscal"] = f"{closes.year} {quarter}"


def primary_role(store: Store, row: Row, *, make: Make, now: datetime) -> None:
    """Make the contact named at birth the primary contact."""
    stamps = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById")
    values = {name: row.get(name) for name in (*stamps, "SystemModstamp", "CurrencyIsoCode")}
    links = {"OpportunityId": row.id, "ContactId": row.get("ContactId"), "IsPrimary": True}
    make("OpportunityContactRole", {**values, **links}, now)


def only_primary(store: Store, row: Row) -> None:
    """Keep one primary contact to an opportunity, and show it there."""
    deal = store.living(row.get("OpportunityId"))
    if deal is None:
        return
    if row.get("IsPrimary"):
        for other in store["OpportunityContactRole"].having("OpportunityId", deal.id):
            if other.id != row.id and other.get("IsPrimary"):
                store.merge(other, IsPrimary=False)
        store.merge(deal, ContactId=row.get("ContactId"))
    elif deal.get("ContactId") == row.get("ContactId"):
        store.merge(deal, ContactId=None)


def document_of(store: Store, row: Row, *, make: Make, now: datetime) -> None:
    """Give a content note its document: the same id, and a link that lets its owner see it."""
    names = ("Title", "OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate")
    values = {name: row.get(name) for name in (*names, "LastModifiedById", "SystemModstamp")}
    document = Row(
        store.whole["ContentDocument"],
        row.id,
        {**values, "FileType": "SNOTE", "FileExtension": "snote"},
    )
    store.insert(document)
    make(
        "ContentDocumentLink",
        {
            "ContentDocumentId": row.id,
            "LinkedEntityId": row.get("OwnerId"),
            "ShareType": "I",
            "Visibility": "AllUsers",
            "SystemModstamp": row.get("SystemModstamp"),
        },
        now,
    )
