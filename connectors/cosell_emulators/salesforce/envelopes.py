"""SOAP envelopes: read what a call says, write what it is answered."""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{_INSTANCE}}}nil"
_TYPE = f"{{{_INSTANCE}}}type"
# An entity could name a file or grow without end, and no client has use for one.
_DANGEROUS = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


class Unreadable(ValueError):
    """The body is not an envelope."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A SOAP call: its operation, its headers and what it holds."""

    operation: str
    body: ElementTree.Element
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def header(self, name: str, key: str) -> str:
        """Give one value of a header, empty when it is not there."""
        return self.headers.get(name, {}).get(key, "")

    def parts(self, name: str) -> list[ElementTree.Element]:
        """Give the arguments of a name."""
        return [part for part in self.body if local(part) == name]


def parsed(content: bytes) -> ElementTree.Element:
    """Read XML of whatever kind."""
    if _DANGEROUS.search(content):
        raise Unreadable("DOCTYPE is not allowed")
    try:
        return ElementTree.fromstring(content)  # noqa: S314 - entities are refused above
    except (ElementTree.ParseError, ValueError) as error:
        raise Unreadable(str(error)) from error


def read(content: bytes) -> Asked:
    """Read an envelope."""
    root = parsed(content)
    body = next((part for part in root if local(part) == "Body"), None)
    if body is None or not len(body):
        raise Unreadable("the envelope has no body")
    head = next((part for part in root if local(part) == "Header"), None)
    headers = {
        local(part): {local(inner): (inner.text or "").strip() for inner in part}
        for part in (head if head is not None else ())
    }
    return Asked(local(body[0]), body[0], headers)


def local(part: ElementTree.Element) -> str:
    """Give a tag without its namespace."""
    return part.tag.rpartition("}")[2]


def values(part: ElementTree.Element) -> dict[str, str | None]:
    """Read the children of an element; a nil one is nothing."""
    return {local(inner): None if is_nil(inner) else (inner.text or "") for inner in part}


def row(part: ElementTree.Element) -> tuple[str, dict[str, Any]]:
    """Read an sObject: its type, and its fields; those to be emptied are None."""
    found = kind(part)
    body: dict[str, Any] = {}
    for inner in part:
        name = local(inner)
        if name == "type":
            found = inner.text or found
        elif name == "fieldsToNull":
            if inner.text:
                body[inner.text.strip()] = None
        elif not is_nil(inner):
            body[name] = inner.text or ""
    return found, body


def kind(part: ElementTree.Element) -> str:
    """Give the type an element says it is of."""
    return part.get(_TYPE, "").rpartition(":")[2]


def is_nil(part: ElementTree.Element) -> bool:
    """Tell whether an element says that there is nothing."""
    return part.get(_NIL, "").lower() in ("true", "1")


def answer(operation: str, results: list[dict[str, Any]], *, namespace: str) -> bytes:
    """Write the response to a call."""
    inner = "".join(f"<result>{_children(result)}</result>" for result in results)
    body = f'<{operation}Response xmlns="{namespace}">{inner}</{operation}Response>'
    return _envelope(body)


def fault(code: str, message: str, *, about: str = "urn:fault.partner.soap.sforce.com") -> bytes:
    """Write a fault."""
    told = escape(f"{code}: {message}")
    detail = (
        f'<sf:UnexpectedErrorFault xmlns:sf="{about}" '
        'xsi:type="sf:UnexpectedErrorFault">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{escape(message)}</sf:exceptionMessage>"
        "</sf:UnexpectedErrorFault>"
    )
    body = (
        f'<soapenv:Fault><faultcode xmlns:sf="{about}">sf:{code}'
        f"</faultcode><faultstring>{told}</faultstring><detail>{detail}</detail></soapenv:Fault>"
    )
    return _envelope(body)


def _envelope(body: str) -> bytes:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:xsi="{_INSTANCE}">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return text.encode()


def elements(result: dict[str, Any]) -> str:
    """Write values as elements, one after the other."""
    return _children(result)


def _children(result: dict[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in result.items())


def _element(name: str, value: Any) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, list):
        return "".join(_element(name, inner) for inner in value)
    if isinstance(value, dict):
        type_ = f' xsi:type="{escape(value["@type"])}"' if "@type" in value else ""
        plain = {key: inner for key, inner in value.items() if key != "@type"}
        return f"<{name}{type_}>{_children(plain)}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return f"<{name}>{text}</{name}>"
