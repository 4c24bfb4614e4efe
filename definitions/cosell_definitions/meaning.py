"""What a word was probably meant to be: near spellings, and words of other tools for the same thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .problems import did_you_mean

# What the same thing is called elsewhere: in Power Automate, in other YAML tools, on the wire.
_ELSEWHERE = {
    "condition": ("when", "if"),
    "for_each": ("foreach",),
    "apply_to_each": ("foreach",),
    "loop": ("foreach",),
    "do_until": ("until",),
    "do": ("steps", "action"),
    "scope": ("steps",),
    "operation": ("action",),
    "uses_action": ("action",),
    "run_flow": ("call",),
    "child": ("call",),
    "variables": ("set",),
    "compose": ("set",),
    "delay": ("wait",),
    "sleep": ("wait",),
    "terminate": ("stop",),
    "fail": ("stop",),
    "approval": ("approve",),
    "otherwise": ("else", "default"),
    "catch": ("on_error",),
    "on_failure": ("on_error",),
    "inputs": ("with",),
    "params": ("with",),
    "parameters": ("with", "inputs"),
    "arguments": ("with",),
    "args": ("with",),
    "title": ("name",),
    "label": ("name",),
    "depends_on": ("needs",),
    "cron_expression": ("cron",),
    "tz": ("timezone",),
    "time_zone": ("timezone",),
    "interval": ("every", "delay"),
    "max_attempts": ("attempts",),
    "text": ("string",),
    "str": ("string",),
    "int": ("integer",),
    "float": ("decimal",),
    "double": ("decimal",),
    "money": ("decimal",),
    "bool": ("boolean",),
    "yes/no": ("boolean",),
    "list": ("array",),
    "dict": ("object",),
    "timestamp": ("datetime",),
    "success": ("succeeded",),
    "ok": ("succeeded",),
    "failure": ("failed",),
    "error": ("failed",),
    "skip": ("skipped", "continue"),
    "ignore": ("continue",),
    "abort": ("fail",),
    "stop": ("fail",),
    "both": ("all",),
    "http": ("webhook",),
    "recurrence": ("schedule",),
    "timer": ("schedule",),
    "button": ("manual",),
    "latest": ("newest",),
    "keep": ("ignore",),
    "overwrite": ("clear",),
    "->": ("left_to_right",),
    "left->right": ("left_to_right",),
    "<-": ("right_to_left",),
    "left<-right": ("right_to_left",),
    "<->": ("both",),
    "400": ("invalid",),
    "401": ("unauthorized",),
    "403": ("forbidden",),
    "404": ("not_found",),
    "409": ("conflict",),
    "410": ("deleted",),
    "412": ("conflict",),
    "413": ("too_large",),
    "423": ("locked",),
    "429": ("rate_limited",),
    "500": ("unavailable",),
    "502": ("unavailable",),
    "503": ("unavailable",),
    "504": ("timeout",),
    "oauth2": ("client_credentials",),
    "token": ("bearer",),
}

_UNITS = {
    "ms": r"ms|milliseconds?|millis",
    "s": r"s|secs?|seconds?",
    "m": r"m|mins?|minutes?",
    "h": r"h|hrs?|hours?",
    "d": r"d|days?",
}


def meant(word: str, names: Iterable[str]) -> str | None:
    """The one of *names* that *word* stands for, by its spelling or in another tool."""
    known = list(names)
    elsewhere = _ELSEWHERE.get(word.strip().lower().replace("-", "_"), ())
    elsewhere = elsewhere or _ELSEWHERE.get(word.strip().lower(), ())
    near = did_you_mean(word, known)
    if near is not None and near.lower() == word.lower():
        return near
    return next((name for name in elsewhere if name in known), near)


def intended(given: Iterable[str], known: Iterable[str]) -> set[str]:
    """Those of *known* that a misspelt one of *given* was meant to be; nothing else is missing of them."""
    names = list(known)
    return {near for word in given if word not in names and (near := meant(word, names))}


def repaired(text: str, pattern: str) -> str | None:
    """*text* as it would fit *pattern*, where that takes another spelling only."""
    return next((tried for tried in _spellings(text.strip()) if re.search(pattern, tried)), None)


def _spellings(text: str) -> Iterator[str]:
    for unit, words in _UNITS.items():
        found = re.fullmatch(rf"([0-9]+(?:\.[0-9]+)?)\s*(?:{words})", text, re.IGNORECASE)
        if found:
            yield f"{found[1]}{unit}"
    iso = re.fullmatch(r"P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?", text)
    if iso and sum(part is not None for part in iso.groups()) == 1:
        yield next(f"{part}{unit}" for part, unit in zip(iso.groups(), "dhms", strict=True) if part)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?\s*(%|percent)?", text):
        yield f"{re.split('[ %p]', text)[0]}%"
    address = re.match(r"https?://[^/]+(/.*)", text)
    if address:
        yield address[1]
    if text.startswith("$."):
        yield "/" + text[2:].replace(".", "/")
    if "." in text:
        yield f"https://{text.removeprefix('http://')}"
    joined = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    yield joined
    yield joined.lower()
    yield joined.lower().replace("_", "-")
    yield joined.upper()
    if re.fullmatch(r"[\w.-]+\.[a-z]{2,}(/\S*)?", text):
        yield f"https://{text}"
    if not text.startswith("/"):
        yield f"/{text}"
