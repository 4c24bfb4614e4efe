"""The examples that the pages name do what is written under them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.console import to_json
from cosell_flows.running.outcomes import Question, RunResult

from .conftest import Stage, ways

HOUSE = Path(__file__).resolve().parents[3]
EXAMPLES = HOUSE / "tests" / "examples" / "forms"
FILES = sorted(EXAMPLES.glob("*.flow.yaml"))


def stated(file: Path) -> dict[str, Any]:
    """What an example says of its run, in the comment at its end."""
    found = re.search(r"^# run: (\{.*\})$", file.read_text("utf-8"), re.MULTILINE)
    assert found, f"{file.name} does not say what its run gives"
    return dict(exact(found[1]))


def exact(text: str) -> Any:
    """JSON with exactly its digits."""
    return json.loads(text, parse_float=Decimal)


def seen(result: RunResult, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run, what an example speaks of."""
    whole = {
        "status": result.status,
        "outputs": exact(to_json(result.outputs)),
        "steps": ways(result),
        "error": result.error["class"] if result.error else None,
    }
    found = {name: whole[name] for name in asked if name in whole}
    for name, of in (("reasons", "reason"), ("attempts", "attempts"), ("counts", "counts")):
        if name in asked:
            entries = {step["id"]: step[of] for step in result.steps if step["id"] in asked[name]}
            found[name] = entries
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
async def test_an_example_gives_what_it_says(stage: Stage, file: Path) -> None:
    """Status, outputs, and how each step went; in this process, in real time."""
    expected = {"status": "succeeded"} | stated(file)
    inputs, answers = expected.pop("inputs", {}), expected.pop("answers", {})
    folder = stage.root / "definitions" / "examples"
    folder.mkdir(parents=True)
    for one in FILES:
        shutil.copy(one, folder)
    stage.real_time = True

    async def ask(question: Question) -> Mapping[str, Any]:
        if answers[question.step] == "never":
            await asyncio.sleep(3600)
        return dict(answers[question.step])

    engine = await stage.engine()
    result = await engine.run(file.name.removesuffix(".flow.yaml"), inputs, ask=ask)

    assert seen(result, expected) == expected, result.error


PAGES = [HOUSE / "definitions" / "README.md", HOUSE / "docs" / "patterns.md"]


def linked(page: Path) -> list[Path]:
    """The files of this repository that a page links to."""
    links = re.findall(r"\]\(((?:\.\./)+[^)#]+)\)", page.read_text("utf-8"))
    return [(page.parent / link).resolve() for link in links]


@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    """No link leads nowhere."""
    assert [str(one) for one in linked(page) if not one.exists()] == []


def test_every_example_is_named_by_a_page() -> None:
    """An example nobody reads about proves nothing to anybody."""
    named = {one for page in PAGES for one in linked(page)}

    assert [one.name for one in FILES if one not in named] == []


def test_every_pattern_that_is_supported_names_its_proof() -> None:
    """An example, or a test of something that starts outside of a flow."""
    rows = re.findall(r"^\| \d+ .*$", PAGES[1].read_text("utf-8"), re.MULTILINE)
    supported = [row for row in rows if "| supported |" in row]

    assert len(rows) == 43
    assert [row for row in supported if "](../tests/" not in row] == []
