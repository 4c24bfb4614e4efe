"""The audit in a seller's language: nothing the sync or a shipped flow says is left untranslated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosell_definitions.model import Action, Flow, Stop, Template, Value
from cosell_flows.compiling.steps_within import inner_steps
from cosell_flows.project import read_documents, shipped
from cosell_flows.syncing import audit
from cosell_flows.syncing.speaking import TABLES, words

SYNCING = Path(audit.__file__).parent
ITALIAN = words("Italian")
FILLED = "X1"


def _spoken_by_code() -> Iterator[tuple[str, str]]:
    """Every text that a module of the sync notes, or raises as an error of a record."""
    for path in sorted(SYNCING.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for text in _texts_of(node, path.stem):
                yield path.name, text


def _texts_of(node: ast.AST, module: str) -> Iterator[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id="note")], value=value):
            yield from _texts(value)
        case ast.FunctionDef(name="mixed" | "_pauses") as told:
            yield from (text for one in ast.walk(told) if isinstance(one, ast.JoinedStr)
                        for text in _texts(one))  # fmt: skip
        case ast.keyword(arg="note", value=value):
            yield from _texts(value)
        case ast.Call(func=ast.Attribute(attr="__init__"), args=[first, *_]) if module == "errors":
            yield from _texts(first)
        case ast.Assign(targets=[ast.Name(id="_WANTED")], value=ast.Dict(values=values)):
            yield from (text for value in values for text in _texts(value))


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else FILLED for one in parts
            )
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
        case _:
            pass


def _spoken_by_flows() -> Iterator[tuple[str, str]]:
    """Every text of a shipped flow that ends in an audit: why a record failed, notes, messages."""
    for flow in read_documents(shipped()).flows.values():
        if not flow.place.file.startswith("definitions/cosell/"):
            continue  # the other solution keeps no audit: it answers whoever runs it
        for value in _values_of(flow):
            for text in _of_value(value):
                yield flow.id, text
    # What flows put together in expressions: the literals that read like a sentence.
    for path in sorted((shipped() / "definitions/cosell").glob("*.flow.yaml")):
        for block in re.findall(r"(?:note|notes|missing): (?:>-)?\s*(.+?)(?=\n\s*\w+:|\n\s*- id)",
                                path.read_text(encoding="utf-8"), re.DOTALL):  # fmt: skip
            for text in re.findall(r"'([^'/]{4,})'", block):
                if " " in text.strip():
                    yield path.stem, text


def _values_of(flow: Flow) -> Iterator[Value]:
    pending = [flow.steps]
    while pending:
        for step in pending.pop():
            pending += inner_steps(step)
            match step.do:
                case Stop(status="failed", reason=reason):
                    yield reason
                case Action(system="sync", operation="note" | "create", arguments=arguments):
                    yield arguments.get("message")  # type: ignore[union-attr]


def _of_value(value: Value) -> Iterator[str]:
    text = value.text if isinstance(value, Template) else value
    if isinstance(text, str):
        filled = " ".join(re.sub(r"\{\{.*?\}\}", FILLED, text, flags=re.DOTALL).split())
        if filled != FILLED:  # the words of another step
            yield filled


# Told to whoever runs the flow by hand; no seller has a record of it.
NOT_FOR_SELLERS = {"webhook-registration"}


@pytest.mark.parametrize("language", sorted(path.stem for path in TABLES.glob("*.yaml")))
def test_every_sentence_of_the_sync_is_translated(language: str) -> None:
    """What a rule notes and what makes a record fail."""
    known = words(language.capitalize())

    missing = [(file, text) for file, text in _spoken_by_code() if not known.knows(text)]

    assert missing == []


@pytest.mark.parametrize("language", sorted(path.stem for path in TABLES.glob("*.yaml")))
def test_every_sentence_of_the_shipped_flows_is_translated(language: str) -> None:
    """Reasons, notes and messages, with whatever fills them in."""
    known = words(language.capitalize())

    missing = [
        (flow, text)
        for flow, text in _spoken_by_flows()
        if flow not in NOT_FOR_SELLERS and not (known.knows(text) or known.knows(text + FILLED))
    ]

    assert missing == []


def test_every_label_of_the_shipped_mappings_is_translated() -> None:
    """A label stands in most of the lines."""
    mappings = read_documents(shipped()).mappings.values()

    labels = {row.label for mapping in mappings for row in mapping.fields if row.label}

    assert {label for label in labels if not ITALIAN.knows(label)} == set()


def test_a_line_in_italian() -> None:
    """Notes, labels and values, each in its place."""
    line = audit.told(
        [("Deal value", 5, 7)], [("Visibility", False, True)],
        ["Microsoft accepted the co-sell (a@b.example)"], language="Italian",
    )  # fmt: skip

    assert line == (
        "Microsoft ha accettato il co-sell (a@b.example). "
        "Inviato a Partner Center: Valore della trattativa 5 → 7. "
        "Ricevuto da Partner Center: Visibilità sì."
    )


def test_what_fills_a_sentence_is_translated_too() -> None:
    """A list of what is missing, item by item."""
    said = ITALIAN.say(
        "Not shared with Microsoft. Please add an account; at least one Microsoft solution on the"
        " opportunity."
    )

    assert said == (
        "Non condiviso con Microsoft. Aggiungete un account; almeno una soluzione Microsoft"
        " sull'opportunità."
    )


@pytest.mark.parametrize("language", ["English", "Klingon", "../italian"])
def test_without_a_table_it_is_english(language: str) -> None:
    """English, and whatever nobody wrote a table for."""
    assert words(language).say("In step with Partner Center.") == "In step with Partner Center."


def test_what_has_no_translation_stays_as_it_is() -> None:
    """Partner Center's own words are quoted."""
    assert ITALIAN.say("Something Microsoft says.") == "Something Microsoft says."
