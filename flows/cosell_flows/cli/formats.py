"""Problems as text for people, as JSON, as SARIF for code scanning, as annotations for GitHub."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cosell_definitions.problems import Problem, Severity

from ..running.surveys import Survey
from . import console


def as_text(found: Survey, root: Path) -> Iterator[str]:
    """Each problem with the line it is about, then how many there are."""
    for problem in found.problems:
        yield console.problem_text(problem, root)
    yield summary(found)


def summary(found: Survey) -> str:
    """How many problems there are, in how many files."""
    files = _many(len(found.files), "file")
    if not found.problems:
        return f"{files}, no problems"
    counts = Counter(problem.severity for problem in found.problems)
    said = [_many(counts[one], one.value) for one in Severity if counts[one]]
    return f"{' and '.join(said)} in {files}; cosell explain CODE tells more of each"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def as_json(found: Survey) -> dict[str, Any]:
    """The document of `check --json`."""
    return {
        "problems": [console.problem_json(one) for one in found.problems],
        "files": len(found.files),
    }


def as_github(found: Survey, root: Path) -> Iterator[str]:
    """A workflow command for each problem: GitHub shows it at its line in the pull request."""
    prefix = _below_workspace(root)
    for problem in found.problems:
        place = problem.place
        properties = {
            "file": f"{prefix}{place.file}",
            "line": str(place.line),
            "col": str(place.column),
            "endColumn": str(place.end_column or ""),
            "title": problem.code,
        }
        said = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
        text = problem.message + (f"\nhint: {problem.hint}" if problem.hint else "")
        yield f"::{problem.severity.value} {said}::{_data(text)}"


def _below_workspace(root: Path) -> str:
    """The way from the checkout to the project, where the project is not the checkout itself."""
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    if root == workspace or not root.is_relative_to(workspace):
        return ""
    return f"{root.relative_to(workspace).as_posix()}/"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(found: Survey, root: Path, *, titles: Mapping[str, str], version: str) -> str:
    """A SARIF 2.1.0 log; *titles* says in a sentence what each code means.

    Files are named from the checkout, where code scanning looks for them.
    """
    prefix = _below_workspace(root)
    codes = sorted({problem.code for problem in found.problems})
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cosell",
                        "version": version,
                        "rules": [_rule(code, titles.get(code, code)) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, codes, prefix) for problem in found.problems],
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _rule(code: str, title: str) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": title},
        "help": {"text": f"cosell explain {code} shows an example and the cure"},
    }


def _result(problem: Problem, codes: list[str], prefix: str) -> dict[str, Any]:
    place = problem.place
    region: dict[str, int] = {"startLine": place.line, "startColumn": place.column}
    if place.end_column is not None:
        region["endColumn"] = place.end_column
    text = problem.message + (f"\nHint: {problem.hint}" if problem.hint else "")
    return {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": problem.severity.value,
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": quote(f"{prefix}{place.file}"),
                        "uriBaseId": "%SRCROOT%",
                    },
                    "region": region,
                }
            }
        ],
    }
