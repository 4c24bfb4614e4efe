"""Write SOAP 1.1 envelopes from plain values, and read XML back into such. Pure.

https://www.w3.org/TR/2000/NOTE-SOAP-20000508/
"""

from __future__ import annotations

import html  # xml.sax.saxutils would load urllib.request, and with it ssl, http and email
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from .encoding import text_of
from .model import Answer, Elements
from .pointers import segments

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

# Stands for the access token until the request is signed. No value can say it: in a value, `<` is
# written as an entity.
TOKEN = b"<?token?>"

# Of an object: not an element in it, but its type, where a schema leaves that open.
TYPE = "@type"

# XML 1.0 has no way to say these, not even as entities.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_NIL = f"{{{INSTANCE}}}nil"
_TRUE, _FALSE = ("true", "1"), ("false", "0")

Plain = Elements()


def envelope(
    call: str,
    body: Mapping[str, Any],
    *,
    namespace: str,
    headers: Mapping[str, Any],
    token: str | None,
    elements: Mapping[str, Elements],
) -> bytes:
    """The envelope of a call; *elements* says of a name in the body how it is written.

    *token* is a pointer to the header that carries the access token: its place is kept by `TOKEN`.
    """
    space = f' xmlns="{html.escape(namespace)}"'
    head = [
        f"<{_name(name)}{space}>{''.join(_members(value, Plain))}</{name}>"
        for name, value in headers.items()
    ]
    if token is not None:
        outer, inner = segments(token)
        head.insert(0, f"<{outer}{space}><{inner}>{TOKEN.decode()}</{inner}></{outer}>")
    said = "".join(
        piece
        for name, value in body.items()
        for piece in _element(name, value, elements.get(name, Plain))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soap:Envelope xmlns:soap="{ENVELOPE}" xmlns:xsi="{INSTANCE}">'
        + (f"<soap:Header>{''.join(head)}</soap:Header>" if head else "")
        + f"<soap:Body><{call}{space}>{said}</{call}></soap:Body></soap:Envelope>"
    ).encode()


def with_token(content: bytes, token: str) -> bytes:
    """*content* with the access token in its place."""
    return content.replace(TOKEN, html.escape(token, quote=False).encode())


def _element(name: str, value: Any, how: Elements) -> Iterator[str]:
    """An element, or one for each of a list."""
    if isinstance(value, list | tuple):
        for one in value:
            yield from _element(name, one, how)
    elif value is None:
        yield f'<{_name(name)} xsi:nil="true"/>'
    elif isinstance(value, Mapping):
        kind = f' xsi:type="{_name(str(value[TYPE]))}"' if TYPE in value else ""
        yield f"<{_name(name)}{kind}>{''.join(_members(value, how))}</{name}>"
    else:
        yield f"<{_name(name)}>{html.escape(_text(name, value), quote=False)}</{name}>"


def _members(value: Mapping[str, Any], how: Elements) -> Iterator[str]:
    """What is in an element, in the order it is to have."""
    members = {name: member for name, member in value.items() if name != TYPE}
    if how.nulls is not None:
        emptied = [name for name, member in members.items() if member is None]
        members = {name: member for name, member in members.items() if member is not None}
        if emptied:
            members[how.nulls] = emptied
    members |= {name: None for name in how.nil if name not in members}
    space = f' xmlns="{html.escape(how.namespace)}"' if how.namespace else ""
    for name in (*(one for one in how.first if one in members), *(set_apart(members, how.first))):
        for piece in _element(name, members[name], Plain):
            # Each says its namespace by itself: the element around them is of another.
            yield piece.replace(f"<{name}", f"<{name}{space}", 1)


def set_apart(members: Mapping[str, Any], first: tuple[str, ...]) -> list[str]:
    """The names that are not among the *first*, as they are given."""
    return [name for name in members if name not in first]


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} cannot be the name of an element")
    return name


def _text(name: str, value: Any) -> str:
    text = text_of(value)
    if text is None:
        raise ValueError(f"{name} is a {type(value).__name__}, which XML cannot carry")
    if found := _UNSPEAKABLE.search(text):
        raise ValueError(f"{name} has a character in it that XML cannot carry: {found[0]!r}")
    return text


# -- reading -------------------------------------------------------------------------------------


def read(content: bytes, answer: Answer) -> Any:
    """What *content* holds, as plain values; of an envelope, what is in the response.

    Text stays text, as XML has no types: *answer* says what is a list, and what true or false.
    Raises ValueError where it is no XML, or has a document type.
    """
    # Without a document type there are no entities, and nothing that could grow or be fetched.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError("it has a document type")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - see above
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    if root.tag == f"{{{ENVELOPE}}}Envelope":
        body = root.find(f"{{{ENVELOPE}}}Body")
        if body is None or not len(body):
            return {}
        root = body[0]
    found = _value(root, answer)
    return {} if found == "" else found


def _value(element: ElementTree.Element, answer: Answer) -> Any:
    if element.get(_NIL, "").strip() in _TRUE:
        return None
    if not len(element):
        text = element.text or ""
        if local(element.tag) not in answer.booleans:
            return text
        said = text.strip().lower()
        return True if said in _TRUE else False if said in _FALSE else text
    members: dict[str, Any] = {}
    for part in element:
        name, value = local(part.tag), _value(part, answer)
        if name not in members:
            members[name] = [value] if name in answer.lists else value
        elif name in answer.lists or isinstance(members[name], list):
            members[name].append(value)
        else:
            members[name] = [members[name], value]
    return members


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rsplit("}", 1)[-1]


def response(call: str, value: Any) -> bytes:
    """The envelope that *read* reads as *value*: what a test answers."""
    said = "".join(piece for name, one in value.items() for piece in _element(name, one, Plain))
    return (
        f'<soap:Envelope xmlns:soap="{ENVELOPE}" xmlns:xsi="{INSTANCE}">'
        f"<soap:Body><{call}Response>{said}</{call}Response></soap:Body></soap:Envelope>"
    ).encode()
