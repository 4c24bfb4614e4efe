"""`cosell test`: the flows' own tests, without a network, without Prefect."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cosell_definitions.problems import Problem, Severity

from . import console
from .console import Context, Failure, say
from .main import project_folder
from .playing import play

if TYPE_CHECKING:
    from ..project import Documents
    from ..running.flowtests.covering import Coverage
    from ..running.flowtests.playing import Played


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@click.option("-k", "--case", "wanted", metavar="TEXT", help="Only cases whose name holds TEXT.")
@click.pass_obj
def test(context: Context, paths: tuple[str, ...], wanted: str | None) -> None:
    """Run the tests of flows: the other systems are played by the tests' mocks, nothing is sent.

    PATH is a file of tests, a folder, or the id of a flow; without one, all tests are run. At the
    end stands what the tests reached: both ways of every branch, every row of a mapping in each of
    its directions, every class of error that a flow handles.

    \b
    cosell test
    cosell test create-referral
    cosell test definitions/cosell/create-referral.test.yaml -k contact
    """
    from ..project import read_documents
    from ..running.keeping import with_what_was_parsed
    from ..running.surveys import Seal
    from . import test_reports as reports

    root = project_folder(context)
    with with_what_was_parsed(root, Seal(root).installation):
        documents = read_documents(root)
        files = _files(documents, root, paths)
        faulty = _problems(root, documents, files)
        if faulty:
            _refuse(context, faulty, root)
        chosen = [
            (tests, case) for tests in documents.tests if tests.place.file in files
            for case in tests.cases if wanted is None or wanted.lower() in case.name.lower()
        ]  # fmt: skip
        if not chosen:
            raise Failure("no case is called so" if wanted else "there are no tests here",
                          hint=None if wanted else "tests are files that end in .test.yaml, beside the flows",
                          code=console.USAGE if paths or wanted else console.NO)  # fmt: skip
        began = time.monotonic()
        played = play(root, documents, chosen)
    coverage = _coverage(documents, played, whole=not paths)
    if context.as_json:
        console.show_json(reports.document(played, coverage))
    for line in reports.told(played, coverage, seconds=time.monotonic() - began, root=root):
        say(line)
    if not all(one.passed for one in played):
        raise SystemExit(console.NO)


def _files(documents: Documents, root: Path, paths: tuple[str, ...]) -> set[str]:
    """The files of tests that *paths* name: all, without any."""
    known = [one for one in documents.files if one.endswith(".test.yaml")]
    if not paths:
        return set(known)
    return {file for path in paths for file in _named(documents, root, known, path)}


def _named(documents: Documents, root: Path, known: list[str], path: str) -> Iterable[str]:
    by_flow = [one.place.file for one in documents.tests if one.flow == path]
    if by_flow:
        return by_flow
    here = Path(path).resolve()
    spot = here if here.exists() and here.is_relative_to(root) else (root / path).resolve()
    if not spot.exists() and not here.exists():
        if path in documents.flows:
            raise Failure(f"flow {path!r} has no tests", code=console.USAGE,
                          hint=f"write them into {path}.test.yaml, beside the flow")  # fmt: skip
        raise Failure(f"there is no file, folder or flow {path}", code=console.USAGE)
    if not spot.exists() or not spot.is_relative_to(root):
        raise Failure(f"{path} is not in the project {root}", code=console.USAGE)
    name = spot.relative_to(root).as_posix()
    flow = re.sub(r"\.flow\.yaml$", "", spot.name)
    found = [one for one in known if name in (one, ".") or one.startswith(f"{name}/")]
    if spot.name.endswith(".flow.yaml"):
        found = [one.place.file for one in documents.tests if one.flow == flow]
    if not found:
        raise Failure(f"{path} holds no tests", hint="tests are files that end in .test.yaml",
                      code=console.USAGE)  # fmt: skip
    return found


def _problems(root: Path, documents: Documents, files: set[str]) -> list[Problem]:
    """What is wrong in the chosen files of tests; a faulty test says nothing about its flow."""
    from ..running.surveying import in_order, of_tests

    found = [*documents.problems, *of_tests(root, documents)]
    errors = (one for one in found if one.severity is Severity.ERROR)
    return list(in_order(one for one in errors if one.place.file in files))


def _refuse(context: Context, problems: list[Problem], root: Path) -> None:
    if context.as_json:
        console.show_json({
            "passed": 0, "failed": 0, "cases": [], "coverage": {},
            "problems": [console.problem_json(one) for one in problems],
        })  # fmt: skip
    for problem in problems:
        say(console.problem_text(problem, root))
    say("the tests themselves have problems; nothing was run")
    raise SystemExit(console.NO)


def _coverage(documents: Documents, played: list[Played], *, whole: bool) -> Coverage:
    """What the tests reached: of every flow, or of those that were tested."""
    from ..running.flowtests.covering import cover

    tested = {one.flow for one in played}
    flows = [one for one in documents.flows.values() if whole or one.id in tested]
    mappings = {name for one in flows for name in one.uses_mappings}
    return cover(
        flows,
        [one for one in documents.mappings.values() if whole or one.id in mappings],
        (one.trace for one in played),
        _carried(played),
    )


def _carried(played: list[Played]) -> Iterator[tuple[str, int, str]]:
    for one in played:
        yield from one.carried
