"""What an administrator, here a test, may switch in the org."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class DuplicateRule:
    """Rows of an object may not agree in all of some fields."""

    object: str
    fields: tuple[str, ...]
    name: str = "Standard_Rule"
    allow_save: bool = True
    message: str = "Use one of these records?"
    # Real answers have been seen with a letter missing in this key; clients look for both.
    spelling: str = "duplicateResut"


@dataclass(slots=True)
class ValidationRule:
    """Rows of an object may not look so."""

    object: str
    fits: Mapping[str, Any]
    message: str
    field: str | None = None


@dataclass(slots=True)
class RuleEntry:
    """A lead that fits goes to an owner."""

    fits: Mapping[str, Any]
    owner: str


@dataclass(slots=True)
class Settings:
    """The org's switches; a reset puts them all back."""

    rotating: bool = False
    daily_calls: int = 100_000
    duplicate_rules: list[DuplicateRule] = field(default_factory=list)
    validation_rules: list[ValidationRule] = field(default_factory=list)
    assignment_entries: list[RuleEntry] = field(default_factory=list)
    # The sharing rules of an object, as the Metadata API writes them.
    sharing_rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_size: int = 2000
    # A language all are refused in, whatever their own.
    language: str | None = None
    multi_currency: bool = True
    country_picklists: bool = False
    # With picklists on, what the text field holds: the name of a country, or its code.
    country_values: str = "names"
    opportunity_teams: bool = True
    account_teams: bool = True
    enhanced_notes: bool = True
    communities: bool = True
    partner_management: bool = True
