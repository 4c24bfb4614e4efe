"""Editors complete and check with our schemas: proved with yaml-language-server, the one they use."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosell_flows.cli.main import answer

sys.path.insert(0, str(Path(__file__).parent))
from language_server import LanguageServer  # a module of these tests

HOUSE = Path(__file__).parents[2]
VERSION = "1.25.0"
JUDGE = HOUSE / ".judges" / f"yaml-language-server-{VERSION}"  # git ignores it
PROGRAM = JUDGE / "node_modules/yaml-language-server/bin/yaml-language-server"

pytestmark = [pytest.mark.xdist_group("yaml-language-server"), pytest.mark.long]

FLOW = """\
# yaml-language-server: $schema=../../schemas/flow.v1.json
flow: v1
id: own
name: Own
"""
MAPPING = """\
# yaml-language-server: $schema=../../schemas/mapping.v1.json
mapping: v1
id: own
fields:
"""
TESTS = """\
# yaml-language-server: $schema=../../schemas/test.v1.json
test: v1
flow: create-referral
cases:
  - name: one
"""
ENVIRONMENT = """\
# yaml-language-server: $schema=../schemas/environment.v1.json
environment: v1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, as `cosell init` makes it."""
    folder = tmp_path_factory.mktemp("editing") / "project"
    assert answer(["--json", "init", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def editor(project: Path) -> Iterator[LanguageServer]:
    """A language server that looks at the project."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed, so there is no yaml-language-server to ask")
    if not PROGRAM.is_file():
        JUDGE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(JUDGE),
                   f"yaml-language-server@{VERSION}"]  # fmt: skip
        installed = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=300
        )
        if installed.returncode != 0:
            pytest.skip(f"yaml-language-server cannot be installed: {installed.stderr[-200:]}")
    server = LanguageServer(["node", str(PROGRAM), "--stdio"], project)
    yield server
    server.close()


@pytest.mark.parametrize(
    ("file", "text", "offered"),
    [
        (
            "definitions/own/own.flow.yaml",
            FLOW + "steps:\n  - id: a\n    action: ¦\n",
            {
                "salesforce.query": "Read records with SOQL.",
                "sync.plan": "merge two records field by field; nothing is written",
            },
        ),
        (
            "definitions/own/own.flow.yaml",
            FLOW + "steps:\n  - id: a\n    action: partner_center.update_referral\n"
            "    with:\n      id: x\n      ¦\n",
            {"if_match": "The eTag last read; without it the last writer wins."},
        ),
        (
            "definitions/own/own.flow.yaml",
            FLOW + "steps:\n  - id: a\n    call: ¦\n",
            {"create-referral": "Create Co-sell Referral - Salesforce to Partner Center"},
        ),
        (
            "definitions/own/own.flow.yaml",
            FLOW + "steps:\n  - id: a\n    call: customize-salesforce\n    with:\n      ¦\n",
            {"opportunity_id": "Opportunity", "action": "What to do"},
        ),
        (
            "definitions/own/own.flow.yaml",
            FLOW + "uses:\n  env:\n    - ¦\nsteps: [{ id: a, wait: 1s }]\n",
            {"DEAL_VALUE_FIELD": "Deal value field name in Salesforce"},
        ),
        (
            "definitions/own/own.map.yaml",
            MAPPING + "  - left: ¦\n",
            {"details.closingDateTime": "Closing date"},
        ),
        (
            "definitions/own/own.map.yaml",
            MAPPING + "  - left: details.notes\n    right: ¦\n",
            {
                "CloseDate": "Closing date",
                '"{{ env.DEAL_VALUE_FIELD }}"': "Deal value field name in Salesforce, here Amount",
            },
        ),
        (
            "definitions/own/own.test.yaml",
            TESTS + "    mock:\n      ¦\n",
            {"partner_center.create_referral": "Make a referral."},
        ),
        (
            "definitions/own/own.test.yaml",
            TESTS + "    expect:\n      ran:\n        - ¦\n",
            {"write_back": "", "customize-salesforce/found": ""},
        ),
        ("env/own.yaml", ENVIRONMENT + "connections:\n  ¦\n", {"salesforce": "Salesforce"}),
    ],
    ids=[
        "operations", "parameters", "flows", "inputs of a flow", "variables", "fields on the left",
        "fields on the right", "mocks", "steps", "connections",
    ],
)  # fmt: skip
def test_names_of_the_project_are_offered(
    editor: LanguageServer, project: Path, file: str, text: str, offered: dict[str, str]
) -> None:
    """With what each of them is."""
    found = editor.completions(project / file, text)

    assert {name: found.get(name) for name in offered} == offered


def test_shipped_files_have_no_fault_in_the_editor(editor: LanguageServer, project: Path) -> None:
    """Every shipped file names its schema, and the editor finds nothing to complain about."""
    files = [
        *(project / "definitions").rglob("*.yaml"),
        *(project / "connectors").rglob("*.yaml"),
        *(project / "env").rglob("*.yaml"),
    ]
    for path in files:
        editor.open(path, path.read_text("utf-8"))
    deadline = time.monotonic() + 60
    while len(editor.diagnostics.keys() & {it.as_uri() for it in files}) < len(files):
        assert time.monotonic() < deadline, "the language server is still at it"
        editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": files[0].as_uri()}})

    told = {it.name: editor.diagnostics[it.as_uri()] for it in files}
    assert {name: found for name, found in told.items() if found} == {}


def test_keywords_are_offered_until_there_is_one(editor: LanguageServer, project: Path) -> None:
    """Then what goes with it, and no second one."""
    path = project / "definitions/own/own.flow.yaml"

    before = editor.completions(path, FLOW + "steps:\n  - id: a\n    ¦\n")
    after = editor.completions(path, FLOW + "steps:\n  - id: a\n    foreach: inputs.x\n    ¦\n")

    assert before["foreach"] == "The same steps for each item of a list."
    assert ("concurrency" in before, "concurrency" in after, "switch" in after) == (
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("name", "step", "key"),
    [
        ("keyword", "{ id: a, steps: [{ id: b, wiat: 1s }] }", "wiat"),
        ("branch", "{ id: a, if: inputs.x, thn: [{ id: b, wait: 1s }] }", "thn"),
        ("name", "{ id: a, foreach: inputs.x, sa: row, steps: [{ id: b, wait: 1s }] }", "sa"),
    ],
)
def test_a_slip_is_marked_in_the_editor(
    editor: LanguageServer, project: Path, name: str, step: str, key: str
) -> None:
    """A key that is not known is told where it stands, and nothing that only follows from it."""
    path = project / f"definitions/own/slip-{name}.flow.yaml"
    editor.open(path, FLOW + f"steps:\n  - {step}\n")
    deadline = time.monotonic() + 60
    while path.as_uri() not in editor.diagnostics and time.monotonic() < deadline:
        editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": path.as_uri()}})

    found = [one["message"] for one in editor.diagnostics[path.as_uri()]]
    assert found == [f"Property {key} is not allowed."]
