"""Countries as picklists: a code field beside each country, the two always of one mind.

https://help.salesforce.com/s/articleView?id=sf.admin_state_country_picklists_overview.htm
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.schema import Choice, Field, ObjectType, Schema
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import Row, Store

_NO_COUNTRY = (
    "There's a problem with this country, even though it may appear correct. Please select a "
    "country/territory from the list of valid countries."
)
_PREFIXES = {
    "Account": ("Billing", "Shipping"),
    "Contact": ("Mailing", "Other"),
    "Lead": ("",),
    "User": ("",),
}


@cache
def _names() -> Mapping[str, str]:
    text = files("cosell_emulators.salesforce").joinpath("seeds", "countries.txt")
    lines = text.read_text(encoding="utf-8").splitlines()
    return {line[:2]: line[3:] for line in lines if line}


def switch(store: Store, settings: Settings, *, on: bool, values: str) -> None:
    """Turn the picklists on or off; countries that are known become picklist values."""
    settings.country_values = values
    if on == settings.country_picklists:
        return
    settings.country_picklists = on
    for name, prefixes in _PREFIXES.items():
        kind = store.whole[name]
        for prefix in prefixes:
            if on:
                _add(store.whole, kind, prefix)
                for row in store[name].rows.values():
                    _adopt(store, settings, row, prefix)
            else:
                store.whole.drop(kind, f"{prefix}CountryCode")


def complete(settings: Settings, kind: ObjectType, values: dict[str, Any], row: Row | None) -> None:
    """Let a country follow from its code, or the code from the country; refuse what is neither."""
    if not settings.country_picklists:
        return
    for prefix in _PREFIXES.get(kind.name, ()):
        text, code = f"{prefix}Country", f"{prefix}CountryCode"
        before = row.values if row is not None else {}
        if values.get(code) != before.get(code):
            _by_code(settings, kind, values, (text, code), before)
        elif values.get(text) != before.get(text):
            _by_text(settings, kind, values, (text, code))


def _by_code(
    settings: Settings,
    kind: ObjectType,
    values: dict[str, Any],
    pair: tuple[str, str],
    before: Mapping[str, Any],
) -> None:
    text, code = pair
    wanted = values[code]
    if wanted is None:
        values[text] = None
        return
    wanted = str(wanted).upper()
    if wanted not in _names():
        raise _unknown(kind, code)
    shown = _shown(settings, wanted)
    said = values.get(text)
    if said != before.get(text) and said is not None and said.casefold() != shown.casefold():
        message = f"Mismatched integration value and ISO code for field: {kind.fields[text].label}"
        raise refusal("FIELD_INTEGRITY_EXCEPTION", message, text)
    values |= {code: wanted, text: shown}


def _by_text(
    settings: Settings, kind: ObjectType, values: dict[str, Any], pair: tuple[str, str]
) -> None:
    text, code = pair
    said = values[text]
    if said is None:
        values[code] = None
        return
    found = _code_of(settings, str(said))
    if found is None:
        raise _unknown(kind, text)
    values |= {code: found, text: _shown(settings, found)}


def _shown(settings: Settings, code: str) -> str:
    return code if settings.country_values == "codes" else _names()[code]


def _code_of(settings: Settings, text: str) -> str | None:
    wanted = text.casefold()
    return next((c for c in _names() if _shown(settings, c).casefold() == wanted), None)


def _adopt(store: Store, settings: Settings, row: Row, prefix: str) -> None:
    """Make the country of an old row one of the picklist's, when it is known by name or code."""
    said = str(row.get(f"{prefix}Country") or "").casefold()
    for code, name in _names().items():
        if said in (code.casefold(), name.casefold()):
            more = {f"{prefix}CountryCode": code, f"{prefix}Country": _shown(settings, code)}
            store.merge(row, **more)


def _unknown(kind: ObjectType, name: str) -> Refusal:
    return refusal("FIELD_INTEGRITY_EXCEPTION", f"{_NO_COUNTRY}: {kind.fields[name].label}", name)


def _add(schema: Schema, kind: ObjectType, prefix: str) -> None:
    label = f"{prefix} Country Code".strip()
    choices = tuple(Choice(code) for code in _names())
    field = Field(
        name=f"{prefix}CountryCode",
        type="picklist",
        label=label,
        flags="CUN",
        length=10,
        choices=choices,
        compound=f"{prefix}Address",
    )
    schema.put(kind, field)
