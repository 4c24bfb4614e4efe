"""The documents are true: what they name exists, what they show runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cosell_definitions.overlaying import load_overlay
from cosell_definitions.parsing import load_flow, load_mapping
from cosell_flows.cli.main import answer, cosell
from cosell_flows.cli.pages import PAGES
from cosell_flows.project import SOLUTIONS, init_project

HOUSE = Path(__file__).parents[1]
REQUIREMENTS = HOUSE.parent / "shared" / "requirements.md"
PROSE = sorted(
    path
    for path in [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md"), *HOUSE.glob("*/README.md")]
    if path.name != "CHANGELOG.md"
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    """A file as people name it."""
    return path.relative_to(HOUSE).as_posix()


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """Every fenced block of a kind, with its file."""
    for path in PROSE:
        for found in FENCE.finditer(path.read_text("utf-8")):
            if found[1] == kind:
                yield named(path), found[2]


def commands() -> list[tuple[str, str]]:
    """Every line at a prompt that calls cosell."""
    lines = []
    for file, text in blocks("console"):
        for line in text.splitlines():
            for part in re.split(r"&&|\|", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True)
                if line.startswith("$ ") and words and words[0].endswith("cosell"):
                    lines.append((file, shlex.join(words[1:])))
    return sorted(set(lines))


@pytest.mark.filterwarnings("ignore:'protected_args':DeprecationWarning")
@pytest.mark.parametrize(("file", "line"), commands())
def test_commands_in_the_documents_exist(file: str, line: str) -> None:
    """Each command line in a document is one that cosell takes, options and all."""
    context = cosell.make_context("cosell", shlex.split(line))
    group: click.Command = cosell
    rest = [*context.protected_args, *context.args]
    while isinstance(group, click.Group):
        name, found, rest = group.resolve_command(context, rest)
        assert found is not None, name
        group = found
        context = found.make_context(name, rest, parent=context)
        rest = [*context.protected_args, *context.args]

    assert rest == []


def documents() -> list[tuple[str, str]]:
    """Every block that is a whole file of ours."""
    whole = re.compile(r"^(flow|mapping|overlay): v1$", re.MULTILINE)
    return [(file, text) for file, text in blocks("yaml") if whole.search(text)]


@pytest.mark.parametrize(("file", "text"), documents())
def test_documents_in_the_documents_are_sound(file: str, text: str) -> None:
    """What a page shows as a whole file can be read as it stands there."""
    if re.search(r"^flow: v1$", text, re.MULTILINE):
        name = re.search(r"^id: (\S+)$", text, re.MULTILINE)
        _, problems = load_flow(text, file=f"definitions/x/{name[1] if name else ''}.flow.yaml")
    elif re.search(r"^overlay: v1$", text, re.MULTILINE):
        _, problems = load_overlay(text, file="overlays/x/y.yaml")
    else:
        name = re.search(r"^id: (\S+)$", text, re.MULTILINE)
        _, problems = load_mapping(text, file=f"definitions/x/{name[1] if name else ''}.map.yaml")

    assert problems == (), file


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_current(page: str) -> None:
    """`make docs` was run: the pages say what the code says."""
    assert (HOUSE / "docs" / page).read_text("utf-8") == PAGES[page]()


@pytest.mark.parametrize("path", PROSE, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a file of the repository finds it."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", path.read_text("utf-8"))

    assert [one for one in targets if not (path.parent / one).exists()] == []


def test_every_requirement_has_its_state() -> None:
    """docs/status.md tells of every requirement."""
    if not REQUIREMENTS.is_file():
        pytest.skip("the requirements are not here")
    wanted = set(re.findall(r"^\| ((?:[DCPQA])-\d+a?) \|", REQUIREMENTS.read_text("utf-8"), re.M))
    told = set(re.findall(r"\b[DCPQA]-\d+a?\b", (HOUSE / "docs/status.md").read_text("utf-8")))

    assert wanted - told == set()


def test_the_proofs_exist() -> None:
    """Each test that docs/status.md names is there."""
    text = (HOUSE / "docs/status.md").read_text("utf-8")
    missing = []
    for file, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
        path = HOUSE / file
        if not path.is_file() or (name and f"def {name}(" not in path.read_text("utf-8")):
            missing.append(f"{file}::{name}")

    assert missing == []


def test_the_five_minutes_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the README has a newcomer type in a new project goes well, line by line."""
    monkeypatch.delenv("COSELL_LEDGER_URL", raising=False)
    init_project(tmp_path)
    steps = ("check", "flows", "show", "env", "test")
    lines = [line for file, line in commands() if file == "README.md"]
    typed = [shlex.split(line) for line in lines if line.split()[0] in steps]

    codes = {" ".join(one): answer(["--project", str(tmp_path), *one]) for one in typed}

    assert len(codes) > 4
    assert {line: code for line, code in codes.items() if code != 0} == {}, capsys.readouterr().err


def test_every_variable_is_documented() -> None:
    """Each variable of the shipped solutions has its section."""
    files = (HOUSE / f"env/{name}/variables.yaml" for name in SOLUTIONS)
    declared = re.findall(
        r"^  ([A-Z][A-Z_]+):$", "".join(one.read_text("utf-8") for one in files), re.M
    )
    page = (HOUSE / "docs/variables.md").read_text("utf-8")

    assert [name for name in declared if f"## {name}\n" not in page] == []


def test_every_decision_says_why() -> None:
    """Decisions are numbered without a gap, and each says why and what was given up."""
    pages = sorted((HOUSE / "docs/decisions").glob("*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        assert "Why do this?" in text, page.name
        assert "gave up" in text, page.name
