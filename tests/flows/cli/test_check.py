"""`cosell check`: every problem at once, where people and machines look for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cosell_flows.cli.main import answer

from .conftest import Cosell, edit

FLOW = "definitions/cosell/partner-center-to-salesforce.flow.yaml"
MAP = "definitions/cosell/referral-opportunity.map.yaml"


def test_the_shipped_solution_has_no_problem(cosell: Cosell) -> None:
    """What is delivered is sound, and the check says so in one line."""
    said = cosell("check")

    assert (said.code, re.sub(r"\d+", "n", said.out)) == (0, "n files, no problems\n")


def test_a_problem_is_shown_with_its_line_and_a_caret(project: Path, cosell: Cosell) -> None:
    """The excerpt is laid out as the description of the language has it."""
    path = project / FLOW
    text = path.read_text("utf-8")
    loop = re.search(r"^( +)foreach: steps\.(\w+)\.", text, re.MULTILINE)
    assert loop is not None
    line = text[: loop.start()].count("\n") + 1
    path.write_text(text.replace(f"foreach: steps.{loop[2]}.", "foreach: steps.chnged.", 1))

    said = cosell("check", str(path)).out.splitlines()

    shown = path.read_text("utf-8").splitlines()[line - 1]
    column = shown.index("chnged") + 1
    assert said[:3] == [
        f"{FLOW}:{line}:{column}: F012 no step is called 'chnged'",
        f"{line:>5} | {shown}",
        "      | " + " " * (column - 1) + "^^^^^^",
    ]
    assert said[3].startswith("   hint: ")


def test_problems_of_several_files_come_at_once(project: Path, cosell: Cosell) -> None:
    """Nobody mends one file to hear of the next."""
    edit(project, FLOW, "flow: v1", "flow: v2")
    edit(project, MAP, "mapping: v1", "mapping: v1\nmaping: 1")
    edit(project, "env/sandbox.yaml", "environment: v1", "environment: v1\nvariabels: {}")

    said = cosell("--json", "check")

    assert said.code == 1
    assert {(one["file"], one["code"]) for one in said.json["problems"]} >= {
        (FLOW, "F004"),
        (MAP, "M001"),
        ("env/sandbox.yaml", "V001"),
    }


def test_json_has_the_shape_that_scripts_rely_on(project: Path, cosell: Cosell) -> None:
    """The keys of a problem are fixed, and files are named from the project."""
    edit(project, MAP, "mapping: v1", "mapping: v1\nmaping: 1")

    document = cosell("--json", "check").json

    assert document == {
        "problems": [
            {
                "code": "M001",
                "severity": "error",
                "file": MAP,
                "line": document["problems"][0]["line"],
                "column": 1,
                "end_column": 7,
                "message": "there is no key 'maping' here",
                "hint": document["problems"][0]["hint"],
            }
        ],
        "files": document["files"],
    }


def test_a_warning_does_not_fail_the_check(project: Path, cosell: Cosell) -> None:
    """Only errors end with 1."""
    (project / "definitions/notes.yml").write_text("a: 1\n")

    said = cosell("--json", "check")

    assert (said.code, [(it["code"], it["severity"]) for it in said.json["problems"]]) == (
        0,
        [("Y018", "warning")],
    )


@pytest.mark.parametrize("how", ["folder", "link to itself", "link to nowhere", "pipe", "zeros"])
def test_what_is_no_readable_file_is_a_problem(how: str, project: Path, cosell: Cosell) -> None:
    """A thing that only has the name of a definition is told of, and the rest is checked."""
    path = project / "definitions/odd.flow.yaml"
    match how:
        case "folder":
            path.mkdir()
        case "link to itself":
            path.symlink_to(path.name)
        case "link to nowhere":
            path.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(path)
        case "zeros":
            path.write_bytes(bytes(3_000_000))
    edit(project, MAP, "mapping: v1", "mapping: v1\nmaping: 1")

    said = cosell("--json", "check")

    found = [(it["code"], it["file"], it["line"]) for it in said.json["problems"]]
    code = "Y011" if how == "zeros" else "Y017"
    assert found[1:] == [(code, "definitions/odd.flow.yaml", 1)]
    assert found[0][:2] == ("M001", MAP)


def test_a_file_that_may_not_be_read_is_a_problem(project: Path, cosell: Cosell) -> None:
    """Without the right to read it, a file is told of by name."""
    path = project / "definitions/secret.flow.yaml"
    path.write_text("flow: v1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")

    assert [it["code"] for it in cosell("--json", "check").json["problems"]] == ["Y017"]


def test_a_second_flow_of_one_id_is_named(project: Path, cosell: Cosell) -> None:
    """Of a pair the second is named, and the first is told."""
    (project / "definitions/z").mkdir()
    (project / "definitions/z/leads-to-partner-center.flow.yaml").write_bytes(
        (project / "definitions/cosell/leads-to-partner-center.flow.yaml").read_bytes()
    )

    (problem,) = cosell("--json", "check").json["problems"]

    assert (problem["code"], problem["file"]) == (
        "F008",
        "definitions/z/leads-to-partner-center.flow.yaml",
    )
    assert "definitions/cosell/leads-to-partner-center.flow.yaml" in problem["message"]


def test_a_long_line_is_cut_around_the_fault(project: Path, cosell: Cosell) -> None:
    """A terminal shows the spot, not a screen full of one line."""
    (project / "env/wide.yaml").write_text(
        "environment: v1\nvariables: { ON_HOLD_STAGE: '" + "x" * 5000 + "', NOWHERE: 1 }\n"
    )

    said = cosell("check", str(project / "env/wide.yaml")).out.splitlines()

    at = said[2].index("^")
    assert max(map(len, said[1:3])) < 200
    assert said[1][at : at + 7] == "NOWHERE"


def test_what_a_terminal_would_obey_is_not_printed(project: Path, cosell: Cosell) -> None:
    """A control character in a file does nothing to the screen of its reader."""
    (project / "env/odd.yaml").write_bytes(b"environment: v1\n# \x1b[2J\n")

    said = cosell("check", str(project / "env/odd.yaml")).out

    assert "Y013" in said
    assert "\x1b" not in said


def test_carets_stand_under_wide_letters(project: Path, cosell: Cosell) -> None:
    """A terminal gives two columns to an emoji and to a Chinese letter."""
    (project / "env/wide.yaml").write_text('environment: v1\n"😀日é": 1\nx: 2\n', "utf-8")

    said = cosell("check", str(project / "env/wide.yaml")).out.splitlines()

    assert said[2] == "      | ^^^^^^^"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "nowhere.flow.yaml"], "there is no file or folder nowhere.flow.yaml"),
        (["check", "--format", "xml"], "--format"),
        (["explain", "F999"], "there is no problem code 'F999'"),
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str], said: str, cosell: Cosell) -> None:
    """A path, a format or a code that there is not is wrong usage."""
    answered = cosell(*arguments)

    assert answered.code == 2
    assert said in answered.err


def test_explain_proposes_codes(cosell: Cosell) -> None:
    """A code that was misread finds its page."""
    assert "did you mean F012" in cosell("explain", "FO12").err


def test_a_code_is_explained_with_an_example_and_the_cure(cosell: Cosell) -> None:
    """A page says what it means, and shows wrong and right."""
    said = cosell("explain", "f012")

    assert said.code == 0
    assert "F012" in said.out
    assert "Wrong:" in said.out
    assert "Right:" in said.out


def test_github_is_told_in_its_own_words(project: Path, cosell: Cosell) -> None:
    """An annotation has its place, and nothing in it breaks the line."""
    edit(project, MAP, "mapping: v1", "mapping: v1\nmaping: 1")

    said = cosell("check", "--format", "github")

    assert re.fullmatch(
        rf"::error file=[^,]*{MAP},line=\d+,col=1,endColumn=7,title=M001::.*%0Ahint: .*\n", said.out
    )


def loaded_by_a_check(project: Path, *libraries: str) -> list[str]:
    """What a check says, in a process of its own, and which of *libraries* it loads."""
    ask = (
        "import sys; from cosell_flows.cli.main import answer; "
        f"answer(['--project', {str(project)!r}, 'check']); "
        f"print(*sorted({set(libraries)!r} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()


def test_a_check_loads_neither_prefect_nor_the_ledger(project: Path) -> None:
    """What a check does not need is not loaded: that is what makes it quick."""
    heavy = ("prefect", "sqlalchemy", "httpx", "rich", "jsonschema", "ruamel", "asyncio")

    assert loaded_by_a_check(project, *heavy)[1:] == [""]


def test_an_edit_that_brings_no_new_expression_needs_no_grammar(project: Path) -> None:
    """What was read of the other files, and of this one before, is not read again."""
    time.sleep(0.15)  # what was written this very moment is not trusted
    loaded_by_a_check(project, "jinja2", "yaml")
    edit(project, FLOW, "description: ", "description: Now ")
    words = loaded_by_a_check(project, "jinja2", "yaml")
    edit(project, FLOW, "outputs:\n", "outputs:\n  more: { value: '{{ 1 + 7 - 3 }}' }\n")
    expression = loaded_by_a_check(project, "jinja2", "yaml")

    assert (words[1:], expression[1:]) == (["yaml"], ["jinja2 yaml"])


def test_a_project_is_found_from_a_path(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of another project is checked in its own project."""
    code = answer(["check", str(project / MAP)])

    assert (code, capsys.readouterr().out) == (0, "1 file, no problems\n")


def test_a_project_that_did_not_change_is_not_read_again(project: Path) -> None:
    """The second check loads neither the parser nor the expressions, and says the same."""
    time.sleep(0.15)  # what was written this very moment is not trusted
    verdict, loaded = loaded_by_a_check(project, "jinja2", "yaml")

    assert "yaml" in loaded  # the installation may have what was made of the shipped expressions
    assert loaded_by_a_check(project, "jinja2", "yaml") == [verdict, ""]
