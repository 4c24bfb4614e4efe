"""Read what comes back in place of JSON: SOAP's faults, and the web pages of gateways. Pure."""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree import ElementTree

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LONGEST_TITLE = 200


def fault(content: bytes) -> dict[str, Any] | None:
    """The parts of a SOAP fault, by name and without prefixes; nothing where it is none.

    SOAP 1.1 says `faultcode` and `faultstring`; 1.2 says `Code/Value` and `Reason/Text`, and they
    are given by the older names too.
    """
    # Without a document type there are no entities, and nothing that could grow or be fetched.
    if not content.lstrip().startswith(b"<") or b"<!" in content:
        return None
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - see above
    except ElementTree.ParseError:
        return None
    found = next((one for one in root.iter() if _local(one.tag) == "Fault"), None)
    if found is None:
        return None
    parts = {_local(one.tag): (one.text or "").strip() for one in found.iter() if not len(one)}
    code = parts.get("faultcode") or parts.get("Value") or ""
    text = parts.get("faultstring") or parts.get("Text") or ""
    return {**parts, "faultcode": code.rsplit(":", 1)[-1], "faultstring": text}


def title(content: bytes) -> str | None:
    """What a web page calls itself, in one line; nothing where it is none."""
    found = _TITLE.search(content[:65_536].decode("utf-8", errors="replace"))
    text = " ".join(html.unescape(found[1]).split()) if found else ""
    return text[:_LONGEST_TITLE] or None


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]
