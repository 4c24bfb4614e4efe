"""`cosell schema --against`: the fields of a live org are offered in the editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.main import answer
from cosell_flows.project import init_project

pytestmark = pytest.mark.journey


def test_fields_of_the_org_are_in_the_schema(
    sandbox: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A field that no mapping names yet, with its label."""
    for name, value in sandbox["env"].items():
        monkeypatch.setenv(name, str(value))
    init_project(tmp_path / "project")

    code = answer(
        ["--project", str(tmp_path / "project"), "schema", "mapping", "--against", "sandbox"]
    )

    schema = json.loads(capsys.readouterr().out)
    offered = schema["$defs"]["field"]["properties"]["right"]["anyOf"][0]["anyOf"][0]
    labels = dict(zip(offered["enum"], offered["enumDescriptions"], strict=True))
    assert code == 0
    assert labels["NextStep"] == "Next Step"
