"""Setup as documents: elements of XML as names and values."""

from typing import Any
from xml.etree import ElementTree

from cosell_emulators.salesforce import envelopes


def document_of(part: ElementTree.Element) -> dict[str, Any]:
    """Read an element as a document; what comes more than once is a list."""
    found: dict[str, Any] = {}
    for inner in part:
        name = envelopes.local(inner)
        value = document_of(inner) if len(inner) else (inner.text or "").strip()
        if envelopes.is_nil(inner):
            continue
        if name in found:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[name] = value
    return found
