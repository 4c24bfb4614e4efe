"""A project small enough to be read at once, run through the whole engine without Prefect."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.main import answer

VARIABLES = """\
variables: v1
declare:
  STAGE: { display_name: Stage, type: stage, default: Prospecting }
  MARK: { display_name: Mark, type: boolean, default: Yes }
  LIMIT: { display_name: Limit, type: number, default: 1.10 }
"""
HEAD = "flow: v1\nid: {id}\nname: A flow\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """How a command ended, and what it said."""

    code: int
    said: Mapping[str, Any]
    complained: str

    @property
    def problems(self) -> list[str]:
        """The problems, each as `file:line:column code`."""
        return [
            f"{it['file']}:{it['line']}:{it['column']} {it['code']}"
            for it in self.said.get("problems", ())
        ]


@dataclass(frozen=True, slots=True)
class Small:
    """A project folder, and the commands of `cosell` in it."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, file: str, text: str) -> None:
        """Write a file of the project."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def flow(self, body: str, *, name: str = "it") -> None:
        """Write a flow; *body* begins below its name."""
        self.write(f"definitions/a/{name}.flow.yaml", HEAD.format(id=name) + body)

    def cosell(self, *arguments: str) -> Answered:
        """What a command answers, as JSON and in words."""
        self.capture.readouterr()
        code = answer(["--project", str(self.folder), "--json", *arguments])
        out, err = self.capture.readouterr()
        return Answered(code, json.loads(out, parse_float=str) if out.strip() else {}, err)

    def run(self, *inputs: str, name: str = "it") -> Answered:
        """Run a flow in this process; *inputs* as NAME=VALUE."""
        pairs = [part for pair in inputs for part in ("-i", pair)]
        return self.cosell("run", name, "--local", *pairs)


@pytest.fixture
def small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Small:
    """A project with three variables and no connections."""
    made = Small(tmp_path / "project", capsys)
    made.write("env/a/variables.yaml", VARIABLES)
    made.write("env/sandbox.yaml", "environment: v1\n")
    return made


@pytest.fixture
def problems_in(small: Small) -> Callable[[str], list[str]]:
    """The problems of a flow with these lines below its name, as `line:column code message (hint)`."""

    def found(body: str) -> list[str]:
        small.flow(body)
        said = small.cosell("check").said
        return [
            f"{it['line']}:{it['column']} {it['code']} {it['message']} ({it['hint']})"
            for it in said["problems"]
        ]

    return found
