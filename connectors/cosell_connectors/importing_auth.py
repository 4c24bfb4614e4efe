"""How an OpenAPI file says one signs in, in the words of a connector file. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .describing import Part

Auth = dict[str, Any]

# Which OAuth flow comes to which way of ours; with a person, a refresh token is left behind.
_FLOWS: Mapping[str, str] = {
    "application": "client_credentials",
    "clientCredentials": "client_credentials",
    "password": "password",
    "accessCode": "refresh_token",
    "authorizationCode": "refresh_token",
}


def auth_of(root: Part, comments: list[str]) -> list[Auth]:
    """The ways to sign in that can be taken; what cannot becomes a comment."""
    schemes = root.at("components", "securitySchemes") or root.at("securityDefinitions")
    found: list[Auth] = []
    for name, _, scheme in schemes.entries():
        made = list(_ways(scheme))
        found += [one for one in made if one not in found]
        if not made:
            comments.append(f"The way to sign in called {name} cannot be taken over: see `auth`.")
    if len(found) > 1:
        others = ", ".join(dict.fromkeys(str(one["type"]) for one in found[1:]))
        comments.append(f"The file's first way to sign in is taken; it also has: {others}.")
        found = found[:1]
    return found


def _ways(scheme: Part) -> Iterator[Auth]:
    match scheme.at("type").text, scheme.at("scheme").text.lower():
        case "oauth2", _:
            flows = [(name, flow) for name, _, flow in scheme.at("flows").entries()]
            for name, flow in flows or [(scheme.at("flow").text, scheme)]:
                if name in _FLOWS:
                    yield {"type": _FLOWS[name], **_token_url(flow), **_scope(flow)}
        case ("basic", _) | ("http", "basic"):
            yield {"type": "basic"}
        case "http", "bearer":
            yield {"type": "bearer"}
        case "apiKey", _ if scheme.at("in").text == "header":
            yield {"type": "api_key", "header": scheme.at("name").text or "X-API-Key"}


def _token_url(flow: Part) -> Auth:
    url = flow.at("tokenUrl").text
    if url.startswith(("https://", "http://")) and not set(url) & set("?# "):
        return {"token_url": url}
    return {"token_path": url} if url.startswith("/") and not set(url) & set("?# ") else {}


def _scope(flow: Part) -> Auth:
    scopes = [name for name, _, _ in flow.at("scopes").entries()]
    fits = scopes and not any(set(one) & set("{}") for one in scopes)
    return {"scope": " ".join(scopes)} if fits and len(scopes) <= 3 else {}
