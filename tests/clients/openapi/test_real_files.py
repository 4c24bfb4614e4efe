"""OpenAPI files that others publish come in as drafts that can be checked.

The files come with packages of npm: the examples of a documentation service, the API of a payment
ledger of half a megabyte, and GitHub's own of thirteen; Microsoft's lies with the emulator's samples.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cosell_connectors.importing import imported
from cosell_connectors.parsing import parse

from ..salesforce.conftest import node_packages

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("openapi-files"), pytest.mark.long]

PACKAGES = ("@readme/oas-examples@8.2.2", "@blockfrost/openapi@0.1.93", "@octokit/openapi@23.0.2")
FILES = {
    "@readme/oas-examples/2.0/json/petstore.json": 18,
    "@readme/oas-examples/3.0/json/star-trek.json": 80,
    "@readme/oas-examples/3.1/yaml/train-travel.yaml": 7,
    "@blockfrost/openapi/openapi.yaml": 126,
    "@octokit/openapi/generated/api.github.com.json": 1000,
}


@pytest.fixture(scope="module")
def folder() -> Path:
    return node_packages("openapi", PACKAGES, patience_s=600) / "node_modules"


@pytest.mark.parametrize(("path", "least"), FILES.items())
def test_a_published_file_makes_a_draft(folder: Path, path: str, least: int) -> None:
    """As many operations as it has, and nothing to complain of in what comes out."""
    made, problems = imported((folder / path).read_bytes(), file=path)
    assert made is not None, problems

    connector, faults = parse(made.text, file=f"connectors/{made.name}/connector.yaml")

    assert (connector is not None, faults) == (True, ())
    assert made.operations >= least
