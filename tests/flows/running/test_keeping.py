"""A check parses only what was edited, and says what it would say if it parsed everything."""

from __future__ import annotations

import itertools
import pickle
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosell_connectors import parsing as connector_parsing
from cosell_definitions import parsing
from cosell_definitions.remembering import PARSED
from cosell_flows.compiling import referring
from cosell_flows.compiling.expressions import SYNTAX, compiled
from cosell_flows.compiling.grammar import parsed
from cosell_flows.compiling.referring import USAGES
from cosell_flows.project import init_project
from cosell_flows.running.keeping import MOST, NAME, Shelf, with_what_was_parsed
from cosell_flows.running.surveying import survey
from cosell_flows.running.surveys import Survey

HERE = b"this installation"
FLOW = "definitions/cosell/create-referral.flow.yaml"
TESTS = "definitions/cosell/create-referral.test.yaml"
MAPPING = "definitions/cosell/referral-opportunity.map.yaml"
OVERLAY = """
overlay: v1
flow: create-referral
steps:
  read: { retry: { attempts: 2 } }
"""
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*sound/*.yaml"))
LOAD = {
    "flow": parsing.load_flow,
    "map": parsing.load_mapping,
    "test": parsing.load_tests,
    "connector": connector_parsing.parse,
    "variables": parsing.load_variables,
    "env": parsing.load_environment,
}


def check(root: Path, installation: bytes = HERE) -> tuple[Survey, list[str]]:
    """What a check finds, and the files it parsed; as if nothing ran in this process before."""
    found, shelf = checked(root, installation)
    return found, shelf.anew


def checked(
    root: Path, installation: bytes = HERE, *, shared: Path | None = None, is_shipped: bool = False
) -> tuple[Survey, Shelf]:
    """What a check finds, and the shelf it used."""
    _forget()
    with with_what_was_parsed(root, installation, shared=shared, is_shipped=is_shipped) as shelf:
        found = survey(root, shelf)
    assert shelf is not None
    return found, shelf


def check_all(root: Path) -> Survey:
    """What a check finds that parses and judges everything."""
    _forget()
    nothing = Shelf(root / "no such file", HERE)
    with PARSED.with_shelf(nothing), SYNTAX.with_shelf(nothing), USAGES.with_shelf(nothing):
        return survey(root)


def _forget() -> None:
    compiled.cache_clear()
    referring._usage.cache_clear()


@pytest.fixture(scope="module")
def solution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped solution, checked once."""
    root = tmp_path_factory.mktemp("shipped")
    init_project(root)
    check(root)
    return root


@pytest.fixture
def root(solution: Path, tmp_path: Path) -> Path:
    """A copy of the shipped solution, with what its check kept."""
    shutil.copytree(solution, tmp_path / "p")
    return tmp_path / "p"


def test_only_the_edited_file_is_parsed(root: Path) -> None:
    """All else was parsed by the check before."""
    text = (root / FLOW).read_text("utf-8")
    (root / FLOW).write_text(text.replace("description: ", "description: Now ", 1), "utf-8")

    assert check(root)[1] == [FLOW]


@pytest.mark.parametrize(
    ("file", "old", "new", "judged"),
    [
        (FLOW, "description: ", "description: Now ", {"flow": 1, "test": 1}),
        (FLOW, "  opportunity_id:", "  the_opportunity:", {"flow": 3, "test": 1}),
        (MAPPING, "label: Notes", "label: Its notes", {"map": 1}),
        (MAPPING, "env.DEAL_VALUE_FIELD", "env.NO_SUCH_FIELD", {"flow": 10, "map": 1}),
        (TESTS, "name: a co-sell", "name: one co-sell", {"test": 1}),
        ("definitions/cosell/fixtures/webhooks/referral-created.json", "{", "{ ", {"test": 1}),
        ("env/sandbox.yaml", "variables: {}", "variables: { DISPLAY_CHECK_MARK: No }", {}),
        ("env/cosell/variables.yaml", 'default: "Yes"', 'default: "No"', {}),
    ],
)
def test_only_what_an_edit_bears_upon_is_judged(
    root: Path, file: str, old: str, new: str, judged: dict[str, int]
) -> None:
    """All else was asked nothing that is answered otherwise now."""
    text = (root / file).read_text("utf-8")
    (root / file).write_text(text.replace(old, new, 1), "utf-8")
    assert (root / file).read_text("utf-8") != text

    kinds = [one.split(".")[1] for one in checked(root)[1].judged]
    assert {kind: kinds.count(kind) for kind in kinds} == judged


def test_no_expression_is_read_twice(root: Path) -> None:
    """A check of what was there before asks the grammar for nothing."""
    shelf = Shelf(root / ".cosell" / NAME, HERE)
    texts = re.findall(r"\{\{ ([^{}]+) \}\}", (root / FLOW).read_text("utf-8"))
    keys = [PARSED.key_of(f" {text} ", "expression") for text in texts]

    assert texts
    assert [shelf.find(key) for key in keys] == [(parsed(f" {text} "),) for text in texts]


def _slip(chance: random.Random, text: str) -> str:
    """Somewhere a line lost, doubled or moved, a letter more or less, a word of another place."""
    lines = text.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    words = re.findall(r"[\w.-]+", text)
    line = lines[at]
    spot = chance.randrange(len(line))
    match chance.randrange(6):
        case 0:
            lines[at] = ""
        case 1:
            lines.insert(at, line)
        case 2:
            lines[at] = line[:spot] + chance.choice(" :{}[]'\"#-&*|xé\t") + line[spot:]
        case 3:
            lines[at] = line[:spot] + line[spot + 1 :]
        case 4:
            lines[at] = re.sub(r"[\w.-]+", lambda _: chance.choice(words), line, count=2)
        case 5:
            lines.insert(chance.randrange(len(lines)), lines.pop(at))
    return "".join(lines)


def _edits(chance: random.Random, root: Path) -> Iterator[str]:
    """Edit one file after another; a few times take one away, or go back to what was there."""
    overlay = root / "overlays/sandbox/create-referral.overlay.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(OVERLAY, "utf-8")
    files = [
        one
        for one in sorted(root.rglob("*.*"))
        if one.suffix in (".yaml", ".json") and not {".shipped", ".cosell"} & {*one.parts}
    ]
    before: dict[Path, str] = {}
    while True:
        path = chance.choice(files)
        if path in before and chance.random() < 0.5:
            path.write_text(before.pop(path), "utf-8")
        elif path.is_file() and chance.random() < 0.1:
            before.setdefault(path, path.read_text("utf-8"))
            path.unlink()
        elif path.is_file():
            text = path.read_text("utf-8")
            before.setdefault(path, text)
            path.write_text(_slip(chance, text) if text else "flow: v1\n", "utf-8")
        yield path.relative_to(root).as_posix()


def test_whatever_is_edited_the_answer_is_that_of_a_check_that_parses_all(
    root: Path,
) -> None:
    """After each of several edits, anywhere, with what all checks before have kept."""
    assert _differing(root, seed=0, edits=3) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 9))
def test_however_many_edits(root: Path, seed: int) -> None:
    """The same, for minutes."""
    assert _differing(root, seed=seed, edits=40) == []


def _differing(root: Path, *, seed: int, edits: int) -> list[str]:
    """The files after whose edit the two checks say different things."""
    making = itertools.islice(_edits(random.Random(seed), root), edits)
    return [edited for edited in making if check(root)[0] != check_all(root)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda it: f"{it.parent.name}/{it.name}")
def test_what_is_kept_of_a_file_is_what_was_made_of_it(path: Path, tmp_path: Path) -> None:
    """Every value, every place and every problem, of sound files and others."""
    kind = path.name.split(".")[1]
    if kind == "overlay":
        pytest.skip("overlays are short, and read each time")
    told = []
    for _ in range(2):
        shelf = Shelf(tmp_path / NAME, HERE)
        with PARSED.with_shelf(shelf):
            told.append((repr(LOAD[kind](path.read_bytes(), file="a")), len(shelf.anew)))
        shelf.close()

    assert told == [(told[0][0], 1), (told[0][0], 0)]


def test_another_program_believes_nothing_of_it(root: Path) -> None:
    """What was made by other programs, or came along with the project, is made anew."""
    assert FLOW in check(root, b"another")[1]


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw + b"x", lambda _: b""])
def test_what_is_damaged_is_made_anew(root: Path, spoil: object) -> None:
    """A file that was cut off, or has a byte too many, is not read."""
    kept = root / ".cosell" / NAME
    assert callable(spoil)
    kept.write_bytes(spoil(kept.read_bytes()))

    assert (FLOW in check(root)[1], check(root)[1]) == (True, [])


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("this ran",))


def test_nothing_but_our_own_values_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even with a signature that fits, nothing is called that a pickle names."""
    shelf = Shelf(tmp_path / NAME, HERE)
    key = PARSED.key_of("text", ("flow", "a"))
    shelf.add(key, _Evil())
    shelf.close()

    again = Shelf(tmp_path / NAME, HERE)

    assert (again.find(key), capsys.readouterr().out) == (None, "")
    assert b"this ran" in pickle.dumps(_Evil())


def test_what_no_file_needs_any_more_is_forgotten(tmp_path: Path) -> None:
    """What is kept does not grow with every edit."""
    sizes = []
    for number in range(30):
        shelf = Shelf(tmp_path / NAME, HERE)
        key = PARSED.key_of(f"text {number}", ("flow", "a"))
        assert shelf.find(key) is None
        shelf.add(key, "x" * 1000)
        shelf.close()
        sizes.append((tmp_path / NAME).stat().st_size)

    assert max(sizes) < min(2_000, MOST)


def test_a_check_is_not_kept_waiting_for_small_edits(root: Path) -> None:
    """What is kept is written again when a good part of it was made anew, not for every file."""
    before = (root / ".cosell" / NAME).read_bytes()
    variables = root / "env/cosell/variables.yaml"
    variables.write_text(variables.read_text("utf-8") + "# a word\n", "utf-8")
    check(root)

    assert (root / ".cosell" / NAME).read_bytes() == before


@pytest.fixture
def shared(root: Path, tmp_path: Path) -> Path:
    """What an installation keeps of the shipped solution."""
    shutil.rmtree(root / ".cosell")
    checked(root, shared=tmp_path / "shared.bin", is_shipped=True)
    shutil.rmtree(root / ".cosell")
    return tmp_path / "shared.bin"


def test_the_shipped_files_are_parsed_once_for_all_projects(root: Path, shared: Path) -> None:
    """A project with nothing kept parses and judges its own files only."""
    (root / FLOW).write_text((root / FLOW).read_text("utf-8") + "# mine\n", "utf-8")

    found, shelf = checked(root, shared=shared)

    assert (found, shelf.anew, shelf.judged) == (check_all(root), [FLOW], [FLOW, TESTS])


def test_what_a_project_of_somebody_holds_is_kept_in_it(root: Path, shared: Path) -> None:
    """What all projects share is written from the shipped solution alone."""
    before = shared.read_bytes()
    for path in sorted(root.glob("definitions/cosell/*.yaml")):
        path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")

    checked(root, shared=shared)

    assert (shared.read_bytes(), (root / ".cosell" / NAME).exists()) == (before, True)
