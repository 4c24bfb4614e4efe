"""Microsoft's own definition of its referrals connector, driven by schemathesis, as the judge.

The definition is taken as it is, but where documents or observed answers say that it is wrong: each
of these places is named in `AMENDMENTS`. schemathesis is installed into a cache folder of its own,
and the tests are skipped where that cannot be done.
"""

from __future__ import annotations

import copy
import fcntl
import json
import subprocess
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.long]

CACHE = Path(__file__).parents[3] / ".judges"
WANTED = "schemathesis==4.32.5"
EXAMPLES = 8
SEED = 20261126

Definition = dict[str, Any]


def _operations(definition: Definition) -> Iterator[tuple[str, str, Definition]]:
    for path, methods in definition["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _nulls(definition: Definition) -> None:
    """No field is said to be null, and most are in observed answers: `closedDateTime` of an open
    deal, `microsoftMsxId` before Microsoft accepts, `externalReferenceId`."""

    def allow(schema: Any) -> None:
        if isinstance(schema, list):
            for one in schema:
                allow(one)
        elif isinstance(schema, dict):
            for one in schema.values():
                allow(one)
            if isinstance(schema.get("type"), str) and "in" not in schema:
                schema["x-nullable"] = True

    for _, _, operation in _operations(definition):
        for response in operation["responses"].values():
            allow(response.get("schema", {}))
    bodies = {"UpdateReferralDetails", "UpdateDealRegistration"}
    for name, schema in definition["definitions"].items():
        if name.rsplit(".", 1)[-1] not in bodies:
            allow(schema)


def _refusals(definition: Definition) -> None:
    """405, 412, 415 and 429 are documented for the API, and missing here."""
    for _, _, operation in _operations(definition):
        for status in ("405", "412", "415", "429"):
            operation["responses"].setdefault(status, {"description": "refused"})


def _words(definition: Definition) -> None:
    """The sales stage is one of four words here; an observed answer has the text "100"."""
    for name, schema in definition["definitions"].items():
        if name.endswith((".Referral", "Referral]]")):
            _open_up(schema)
    for _, _, operation in _operations(definition):
        _open_up([one.get("schema") for one in operation["responses"].values()])


def _open_up(schema: Any) -> None:
    if isinstance(schema, list):
        for one in schema:
            _open_up(one)
    elif isinstance(schema, dict):
        for name, one in schema.items():
            if name == "salesStage" and isinstance(one, dict):
                one.pop("enum", None)
            _open_up(one)


def _nothing(definition: Definition) -> None:
    """An answer of 204 has a body here; the printed one, as RFC 9110 has it, is empty."""
    for _, _, operation in _operations(definition):
        if "204" in operation["responses"]:
            operation["responses"]["204"].pop("schema", None)
            operation["produces"] = []


AMENDMENTS: tuple[Callable[[Definition], None], ...] = (_nulls, _nothing, _refusals, _words)


def amended(definition: Definition) -> Definition:
    """A copy of *definition* with its known faults mended."""
    made = copy.deepcopy(definition)
    for amend in AMENDMENTS:
        amend(made)
    return made


def aimed(definition: Definition, ids: list[str]) -> Definition:
    """A copy that asks about referrals there are, in JSON; or every answer would be a 404."""
    made = copy.deepcopy(definition)
    fixed = {"id": ids, "content-type": ["application/json"], "if-match": ["*"]}
    for _, _, operation in _operations(made):
        for parameter in operation["parameters"]:
            if parameter["name"].lower() in fixed:
                parameter["enum"] = fixed[parameter["name"].lower()]
    return made


@pytest.fixture(scope="session")
def judge() -> str:
    """The command of schemathesis, installed once into a cache folder."""
    folder = CACHE / "schemathesis"
    command = folder / "bin" / "schemathesis"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "schemathesis.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers, one installs
        if not command.exists():
            try:
                venv.create(folder, with_pip=True, clear=True)
                subprocess.run(
                    [folder / "bin" / "python", "-m", "pip", "install", "-q", WANTED],
                    check=True,
                    capture_output=True,
                    timeout=300,
                )
            except (OSError, subprocess.SubprocessError) as error:
                pytest.skip(f"schemathesis cannot be installed here: {error}")
    return str(command)


@pytest.fixture
def definition(samples: Path) -> Definition:
    """Microsoft's definition."""
    return dict(json.loads((samples / "connector.swagger.json").read_text()))


def judged(judge: str, definition: Definition, demo: Any, folder: Path, *checks: str) -> list[str]:
    """What schemathesis complains of."""
    file = folder / "definition.json"
    file.write_text(json.dumps(definition))
    done = subprocess.run(
        [
            judge,
            "run",
            str(file),
            f"--url={demo.emulator.url}",
            f"--header=Authorization: Bearer {demo.token}",
            f"--checks={','.join(checks)}",
            f"--max-examples={EXAMPLES}",
            f"--seed={SEED}",
            "--generation-database=none",
            "--workers=1",
            "--no-color",
            "--suppress-health-check=all",
        ],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    if done.returncode == 0:
        return []
    told = done.stdout.partition(" FAILURES ")[2]
    return [one.strip() for one in told.split("Test Case ID:")[1:]]


def test_nothing_breaks_whatever_is_asked(
    judge: str, definition: Definition, demo: Any, tmp_path: Path
) -> None:
    """No request the definition allows, and none it forbids, is answered with 5xx."""
    assert judged(judge, definition, demo, tmp_path, "not_a_server_error") == []


def test_answers_are_what_the_definition_says(
    judge: str, definition: Definition, demo: Any, tmp_path: Path
) -> None:
    """Status, type and every field of every answer, where the definition is right."""
    ids = [one["id"] for one in demo.listed(filter="status eq 'Active'")["value"]]
    own = [one for one in ids if not demo.emulator.referrals.get(one).is_microsofts]

    complaints = judged(
        judge,
        aimed(amended(definition), own[:3]),
        demo,
        tmp_path,
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )

    assert complaints == [], "\n\n".join(complaints)


def test_the_definitions_faults_are_faults(definition: Definition, samples: Path) -> None:
    """What is amended contradicts what the real service was seen to answer."""
    properties = next(
        one["properties"]
        for name, one in definition["definitions"].items()
        if name.endswith(".Referral")
    )
    observed = json.loads((samples / "observed.referral.independent-active.json").read_text())

    nulls = {
        name
        for name, value in observed.items()
        if value is None and properties.get(name, {}).get("type") == "string"
    }
    assert {"closedDateTime", "expirationDateTime"} <= nulls
    assert observed["salesStage"] not in properties["salesStage"]["enum"]
