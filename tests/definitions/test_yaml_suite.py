"""The public YAML test suite: what must fail is refused with a place, what is read is read rightly."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosell_definitions.nodes import MappingNode, Node, ScalarNode, SequenceNode
from cosell_definitions.reading import read

SUITE = Path(__file__).resolve().parents[3] / "shared/samples/yaml-test-suite"
# The suite shows what cannot be seen: https://github.com/yaml/yaml-test-suite#special-characters
SHOWN = {"␣": " ", "—": "", "»": "\t", "←": "\r", "⇔": "\ufeff", "↵": "", "∎\n": ""}

# Sound YAML that is refused on purpose. By the code that says so, where the language asks for it:
BY_DESIGN = {
    "Y003": "tags are not read: a type comes from what a key is for",
    "Y004": "tabs lay nothing out, also where YAML would bear them",
    "Y006": "a file holds one document",
    "Y007": "an empty file is a problem of its own: it says not what it is",
    "Y016": "a key is text, not a list or a mapping",
}
# … and by case, where neither libyaml nor any file that people write knows the form. None is misread.
RARE = {
    "a key without a name (`: value`); every key of ours has one": (
        "2JQS CFD4 FRK4 M2N8/00 NHX8 NKF9 S3PD SM9W/01 UKK6/00 6M2F"
    ),
    "a key in brackets that goes on over lines, or whose colon stands on the next line": (
        "4MUZ/00 4MUZ/01 4MUZ/02 5MUD 9SA2 K3WX NJ66 UT92 VJP3/01"
    ),
    "a colon or question mark that touches its neighbour inside of brackets; quotes are asked for": (
        "4ABK 58MP 5T43 652Z DBG4 HM87/00 HM87/01"
    ),
    "directives other than %YAML 1.1 and 1.2; they change how the rest is read": (
        "2LFX 6LVF BEC7 MUS6/05 MUS6/06 W4TN ZYU8/00 ZYU8/01 ZYU8/02 ZYU8/03"
    ),
    "a mark (&name) with other signs than letters, digits, - and _": "2SXE 8XYN W5VH Y2GN",
    "text as the whole document that is not indented": "DK3J FP8R",
}
PURPOSE = {
    name if "/" in name else f"{name}/00": why for why, ids in RARE.items() for name in ids.split()
}


@dataclass(frozen=True)
class Case:
    """One case: a source, and what it holds, or that it must fail."""

    id: str
    source: str
    must_fail: bool
    json: str | None
    tree: str | None


@functools.cache
def cases() -> tuple[Case, ...]:
    """All cases; later ones in a file take over what they do not say themselves."""
    if not SUITE.is_dir():
        return ()
    found = []
    for path in sorted(SUITE.glob("*.yaml")):
        before: dict[str, Any] = {}
        for number, raw in enumerate(yaml.load(path.read_text("utf-8"), yaml.BaseLoader)):
            case = dict(raw)
            if not case.get("fail") and not {"json", "tree"} & set(case):
                case = {key: before[key] for key in ("json", "tree") if key in before} | case
            before = case
            source = case["yaml"]
            for shown, meant in SHOWN.items():
                source = source.replace(shown, meant)
            found.append(
                Case(
                    id=f"{path.stem}/{number:02}",
                    source=source,
                    must_fail=case.get("fail") == "true",
                    json=case.get("json"),
                    tree=case.get("tree"),
                )
            )
    return tuple(found)


needs_suite = pytest.mark.skipif(
    not SUITE.is_dir(), reason="the YAML test suite is not at ../shared/samples/yaml-test-suite"
)
MUST_FAIL = [case for case in cases() if case.must_fail]
SOUND = [case for case in cases() if not case.must_fail]


def same(expected: Any, node: Node | None) -> bool:
    """Whether a tree holds what JSON says; scalars are compared as text, numbers by value."""
    match node:
        case MappingNode(entries, _):
            return (
                isinstance(expected, dict)
                and set(expected) == set(entries)
                and all(same(value, entries[key][1]) for key, value in expected.items())
            )
        case SequenceNode(items, _):
            return (
                isinstance(expected, list)
                and len(expected) == len(items)
                and all(map(same, expected, items))
            )
        case ScalarNode(text, _, _):
            match expected:
                case str():
                    return text == expected
                case None:
                    return text in ("", "~", "null")
                case bool():
                    return text == json.dumps(expected)
                case int() | Decimal():
                    return Decimal(int(text, 0) if text.startswith("0x") else text) == expected
    return False


def scalars(node: Node | None) -> list[str]:
    """All scalars of a tree in order, keys included."""
    match node:
        case MappingNode(entries, _):
            return [text for key, (_, one) in entries.items() for text in (key, *scalars(one))]
        case SequenceNode(items, _):
            return [text for one in items for text in scalars(one)]
        case ScalarNode(text, _, _):
            return [text]
    return []


def scalars_of_events(tree: str) -> list[str]:
    """The same from the suite's list of events."""
    escapes = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\b": "\b"}
    found = []
    for line in tree.replace("␣", " ").splitlines():
        event = line.strip(" ") if not line.lstrip().startswith("=VAL") else line.lstrip(" ")
        if not event.startswith("=VAL"):
            continue
        words = event.removeprefix("=VAL ")
        while words.startswith(("&", "<")):
            words = words.partition(" ")[2]
        text = words[1:].replace("\\\\", "\0")
        for escape, meant in escapes.items():
            text = text.replace(escape, meant)
        found.append(text.replace("\0", "\\").replace("∎", ""))
    return found


@needs_suite
def test_the_suite_is_whole() -> None:
    """The whole suite is there: 406 cases, of which 94 must fail."""
    assert (len(MUST_FAIL) + len(SOUND), len(MUST_FAIL)) == (406, 94)


@needs_suite
@pytest.mark.parametrize("case", MUST_FAIL, ids=lambda it: it.id)
def test_what_must_fail_is_refused_with_a_place(case: Case) -> None:
    """A document that is not YAML is never taken for one, and the reader is told where and what to do."""
    problems = read(case.source, file="f.yaml").problems

    lines = case.source.count("\n") + case.source.count("\r") + 1
    assert problems
    assert all(1 <= it.place.line <= lines and it.place.column >= 1 and it.hint for it in problems)


@needs_suite
@pytest.mark.parametrize("case", SOUND, ids=lambda it: it.id)
def test_what_is_sound_is_read_rightly_or_refused_for_a_reason(case: Case) -> None:
    """The content equals the suite's, letter by letter; or the case is on a list that says why not."""
    document = read(case.source, file="f.yaml")

    if document.problems:
        codes = {problem.code for problem in document.problems}
        assert case.id in PURPOSE or codes <= set(BY_DESIGN), [str(it) for it in document.problems]
        return
    assert case.id not in PURPOSE
    if case.json is not None and case.json.strip():
        assert same(json.loads(case.json, parse_float=Decimal), document.root)
    if case.tree is not None and "=ALI" not in case.tree:
        assert scalars(document.root) == scalars_of_events(case.tree)


@needs_suite
def test_how_much_is_read() -> None:
    """The numbers that the documentation gives."""
    outcomes = {"read": 0, "by design": 0, "rare": 0}
    for case in SOUND:
        if not read(case.source, file="f.yaml").problems:
            outcomes["read"] += 1
        else:
            outcomes["rare" if case.id in PURPOSE else "by design"] += 1

    assert outcomes == {"read": 178, "by design": 92, "rare": 42}
