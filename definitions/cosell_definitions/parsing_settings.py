"""From a typed tree to declarations and environments."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, Literal

from .parsing_values import Hand
from .problems import Severity
from .scalars import boolean_of, number_of
from .settings import (
    Declaration,
    EnvironmentFile,
    FieldShape,
    ObjectShape,
    SecretRef,
    SettingValue,
)
from .shaped import Shaped

SECRET_KEYS = re.compile(
    r"(^|_)(client_secret|refresh_token|password|private_key|secret|access_token|api_key)$", re.I
)
_KINDS: dict[str, Literal["env", "file", "prefect"]] = {
    "from_env": "env",
    "from_file": "file",
    "from_prefect": "prefect",
}


def declarations_of(root: Shaped, hand: Hand) -> tuple[Declaration, ...]:
    """The declarations of a solution."""
    entry = root.get("declare")
    found = []
    for name, shaped in (entry.entries if entry is not None else {}).items():
        kind: Any = hand.text(shaped, "type") or "text"  # in a draft, what is faulty is still there
        declaration = Declaration(
            name=name,
            display_name=hand.text(shaped, "display_name") or name,
            type=kind,
            default=hand.text(shaped, "default"),
            description=hand.text(shaped, "description") or "",
            choices=hand.texts(shaped, "choices"),
            objects=hand.texts(shaped, "objects"),
            made_as=_made_as(hand, shaped.get("made_as"), kind),
            place=shaped.key or shaped.place,
        )
        _check_default(hand, shaped, declaration)
        found.append(declaration)
    return tuple(found)


def _made_as(hand: Hand, shaped: Shaped | None, kind: str) -> FieldShape | ObjectShape | None:
    if shaped is None:
        return None
    fields = shaped.get("fields")
    if kind == "object" and fields is not None:
        made = {name: _field_shape(hand, one) for name, one in fields.entries.items()}
        label = hand.text(shaped, "label") or ""
        return ObjectShape(
            label=label,
            plural=hand.text(shaped, "plural") or f"{label}s",
            fields={name: one for name, one in made.items() if one is not None},
        )
    if kind == "field" and fields is None:
        return _field_shape(hand, shaped)
    wrong = "a field has a type, and an object has fields; other variables are not made in the CRM"
    hand.say("V015", shaped.key or shaped.place, wrong, "see the variables that ship with cosell")
    return None


def _field_shape(hand: Hand, shaped: Shaped) -> FieldShape | None:
    kind: Any = hand.text(shaped, "type")
    if kind is None:
        if shaped.sound:
            hint = "add `type: text`, or checkbox, long_text, url, picklist, master_detail"
            hand.say("V015", shaped.key or shaped.place, "a field needs a type", hint)
        return None
    needed = {
        "picklist": "values",
        "master_detail": "parent",
        "text": "length",
        "long_text": "length",
    }
    if (key := needed.get(kind)) and key not in shaped.entries:
        place = shaped.entries["type"].place
        hand.say("V015", place, f"a field of type {kind} needs the key {key!r}", f"add `{key}: …`")
    return FieldShape(
        kind=kind,
        label=hand.text(shaped, "label") or "",
        length=hand.integer(shaped, "length"),
        values=hand.texts(shaped, "values"),
        external_id=hand.scalar(shaped, "external_id") is True,
        unique=hand.scalar(shaped, "unique") is True,
        parent=hand.text(shaped, "parent"),
        help=hand.text(shaped, "help") or "",
    )


def _check_default(hand: Hand, shaped: Shaped, declaration: Declaration) -> None:
    if declaration.type == "choice" and not declaration.choices:
        hand.say(
            "V011",
            declaration.place,
            f"{declaration.name} is a choice without choices",
            "add `choices: [ … ]`",
        )
        return
    if declaration.type != "choice" and declaration.choices:
        hand.say(
            "V011",
            shaped.entries["choices"].key or shaped.place,
            f"{declaration.name} is of type {declaration.type}, which takes no choices",
            "write `type: choice`, or delete the choices",
        )
    default = declaration.default
    wrong = misfit(declaration, default) if default is not None else None
    if wrong is not None:
        hand.say(
            "V012",
            shaped.entries["default"].place,
            f"the default of {declaration.name} is {default!r}; {wrong} is needed",
            "change the default, or the type",
        )


def misfit(declaration: Declaration, value: str) -> str | None:
    """What a variable needs instead of *value*; None where the value fits."""
    match declaration.type:
        case "boolean" if boolean_of(value) is None:
            return "Yes or No"
        case "number" if number_of(value) is None:
            return "a number"
        case "choice" if declaration.choices and value not in declaration.choices:
            return f"one of {', '.join(declaration.choices)}"
        case "url" if not re.match(r"https?://[^\s/]+", value):
            return "a web address that begins with https://"
        case "field" | "object" if not re.fullmatch(
            r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*", value
        ):
            return "an API name, such as Sync_Field__c,"
        case "stage" if not value.strip():
            return "the name of a stage"
    return None


def environment_of(root: Shaped, hand: Hand, *, content_hash: str) -> EnvironmentFile:
    """The current values and bindings of one environment."""
    variables, connections = root.get("variables"), root.get("connections")
    bound: dict[str, dict[str, SettingValue]] = {}
    places, key_places = {}, {}
    for name, shaped in (connections.entries if connections is not None else {}).items():
        bound[name] = {}
        for key, entry in shaped.entries.items():
            setting = _setting(hand, name, key, entry)
            if setting is not None:
                bound[name][key] = setting
                places[name, key] = entry.place
                key_places[name, key] = entry.key or entry.place
    return EnvironmentFile(
        name=re.sub(r"\.ya?ml$", "", PurePosixPath(hand.file.replace("\\", "/")).name),
        variables={
            name: (entry.value, entry.place)
            for name, entry in (variables.entries if variables is not None else {}).items()
            if entry.sound and isinstance(entry.value, str)
        },
        connections=bound,
        setting_places=places,
        name_places=hand.places(variables),
        key_places=key_places,
        content_hash=content_hash,
        place=root.place,
    )


def _setting(hand: Hand, connection: str, key: str, entry: Shaped) -> SettingValue | None:
    if entry.entries:
        given = [name for name in _KINDS if name in entry.entries]
        name = hand.text(entry, given[0]) if given else None
        if len(given) != 1 or name is None:
            hand.say(
                "V013",
                entry.key or entry.place,
                f"{key!r} of {connection} names {len(given)} places where the secret is kept",
                "write exactly one of from_env, from_file, from_prefect",
            )
            return None
        if given[0] == "from_env" and not re.fullmatch(r"[A-Za-z_]\w*", name):
            fixed = re.sub(r"\W+", "_", name).strip("_")
            hint = f"write from_env: {fixed}" if fixed else "write the name of a variable"
            place = entry.entries["from_env"].place
            hand.say("V013", place, f"no variable of a process is called {name!r}", hint)
            return None
        return SecretRef(kind=_KINDS[given[0]], name=name)
    if entry.items:
        return ",".join(str(item.value) for item in entry.items)
    if not entry.sound or not isinstance(entry.value, str):
        return None
    if SECRET_KEYS.search(key):
        name = f"COSELL_CONNECTION_{connection.upper()}_{key.upper()}"
        hand.say(
            "V014",
            entry.place,
            f"{key!r} of {connection} is a secret, and stands here for everyone to read",
            f"write {key}: {{ from_env: {name} }}, and change the secret: it is known now",
        )
        return None
    if key in ("base_url", "token_url"):
        _check_address(hand, connection, key, entry)
    return entry.value


def _check_address(hand: Hand, connection: str, key: str, entry: Shaped) -> None:
    text = str(entry.value)
    if "{{" in text:
        return  # which was told
    if not re.match(r"https?://[^\s/]+", text):
        hand.say(
            "V017",
            entry.place,
            f"{key!r} of {connection} is {text!r}, which is no address",
            "write the whole address, from https:// on",
        )
    elif not re.match(r"https:|http://(localhost|127\.[0-9.]+|\[::1\])([:/]|$)", text):
        hand.say(
            "V017",
            entry.place,
            f"what is sent to {text} is not encrypted, and the secrets of {connection} are in it",
            f"write https://{text.removeprefix('http://')}",
            severity=Severity.WARNING,
        )
