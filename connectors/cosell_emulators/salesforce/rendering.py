"""Rows as JSON: the canonical names, the vendor's date form, numbers with every digit."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.store import Row

# An address is shown as one field made of others.
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/compound_fields_address.htm
_ADDRESS = (
    "City",
    "Country",
    "GeocodeAccuracy",
    "Latitude",
    "Longitude",
    "PostalCode",
    "State",
    "Street",
)


def record(row: Row, names: Iterable[str], *, version: str) -> dict[str, Any]:
    """Show a row with some of its fields."""
    shown: dict[str, Any] = {"attributes": attributes(row, version=version)}
    for name in names:
        shown[name] = field_value(row, name)
    return shown


def attributes(row: Row, *, version: str, kind: str | None = None) -> dict[str, str]:
    """Say what a row is and where it can be read."""
    tools = "tooling/" if row.type.for_tools else ""
    url = f"/services/data/v{version}/{tools}sobjects/{row.type.name}/{row.id}"
    return {"type": kind or row.type.name, "url": url}


def field_value(row: Row, name: str) -> Any:
    """Show one field of a row."""
    found = row.type.fields[name]
    if name == "Id":
        return row.id
    if found.type == "address":
        return _address(row, found.name)
    if found.type == "base64":
        # Content is fetched at an address of its own.
        return None if row.values.get(name) is None else content_path(row, name)
    if name == "IsDeleted":
        return row.deleted_at is not None
    return shown_value(found, row.get(name))


def content_path(row: Row, name: str) -> str:
    """Say where a blob is read."""
    return f"/services/data/v68.0/sobjects/{row.type.name}/{row.id}/{name}"


def shown_value(found: Field, value: Any) -> Any:
    """Show a value of a field."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    return value


def plain(number: Decimal) -> Decimal:
    """Write a number as Salesforce does: at least one digit after the point, no trailing zeros."""
    number = number.normalize()
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0:
        return number.quantize(Decimal("0.1"))
    return number


def stamp(moment: datetime) -> str:
    """Write a moment as REST answers do, without a colon in the zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def readable(found: ObjectType) -> list[str]:
    """List the fields a row is shown with when the caller names none."""
    return list(found.fields)


def _address(row: Row, name: str) -> dict[str, Any] | None:
    prefix = name.removesuffix("Address")
    parts = {part[0].lower() + part[1:]: row.values.get(prefix + part) for part in _ADDRESS}
    for key, value in parts.items():
        parts[key] = plain(value) if isinstance(value, Decimal) else value
    return parts if any(value is not None for value in parts.values()) else None
