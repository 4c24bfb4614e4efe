"""`cosell connector import`: from what a vendor publishes to a connector that passes the check."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cosell

FILES = Path(__file__).parents[2] / "connectors" / "openapi"


@pytest.mark.parametrize("name", ["library.yaml", "invoices.yaml", "weather.json"])
def test_what_is_made_passes_the_check(cosell: Cosell, name: str) -> None:
    """A draft is a sound file of the project."""
    made = cosell("connector", "import", str(FILES / name))

    assert (made.code, cosell("check").code) == (0, 0)


def test_it_tells_what_it_made(project: Path, cosell: Cosell) -> None:
    """File, number of operations, and what was left out with the reason."""
    said = cosell("--json", "connector", "import", str(FILES / "invoices.yaml"), "--name", "bills")

    assert said.json == {
        "file": "connectors/bills/connector.yaml",
        "id": "bills",
        "operations": 3,
        "left_out": ["POST /invoices/{number}/pdf: its body is a form, and connectors send JSON"],
    }
    assert (project / said.json["file"]).read_text().startswith("# A first draft, made from inv")


def test_nothing_is_written_over(project: Path, cosell: Cosell) -> None:
    """A connector that people have worked on stays as it is; another name is proposed."""
    cosell("connector", "import", str(FILES / "invoices.yaml"))
    file = project / "connectors/invoices/connector.yaml"
    file.write_text("mine")

    said = cosell("connector", "import", str(FILES / "invoices.yaml"))

    assert (said.code, file.read_text()) == (1, "mine")
    assert "--name invoices_2" in said.err


def test_what_is_wrong_with_the_file_is_told_in_its_place(cosell: Cosell, tmp_path: Path) -> None:
    """File, line and column, as with files of the project."""
    file = tmp_path / "api.yaml"
    file.write_text('openapi: 3.0.0\npaths: { /a: { get: { parameters: [{ $ref: "#/b" }] } } }\n')

    said = cosell("connector", "import", str(file))

    assert (said.code, f"{file}:2:44: C031" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["missing.yaml"], "missing.yaml cannot be read: No such file"),
        ([str(FILES)], "cannot be read: Is a directory"),
        ([str(FILES / "invoices.yaml"), "--name", "My API"], "'My API' is no name for a connector"),
        ([], "Missing argument 'OPENAPI'"),
    ],
)
def test_wrong_usage_is_told(cosell: Cosell, arguments: list[str], expected: str) -> None:
    """Exit code 2, and a sentence."""
    said = cosell("connector", "import", *arguments)

    assert (said.code, expected in said.err) == (2, True)
