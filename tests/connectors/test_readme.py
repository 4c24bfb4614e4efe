"""What the READMEs of our rooms say is so."""

from __future__ import annotations

import re
from pathlib import Path

from cosell_connectors.parsing import parse
from cosell_definitions.parsing import load_environment
from cosell_env.connections import KNOWN_KEYS, SECRET_KEYS

ROOT = Path(__file__).parents[2]
CONNECTORS = (ROOT / "connectors/README.md").read_text()
ENV = (ROOT / "env/README.md").read_text()


def example(text: str) -> str:
    """The first block of YAML in *text*."""
    return text.split("```yaml\n", 1)[1].split("```", 1)[0]


def codes(folder: str, letter: str) -> set[str]:
    """Every problem code that the Python of a room can bring forth."""
    files = (ROOT / folder).glob("*.py")
    return set(re.findall(rf'"({letter}0[1-9]\d)"', "".join(one.read_text() for one in files)))


def test_the_connector_on_one_page_is_sound() -> None:
    """The example can be copied."""
    assert parse(example(CONNECTORS), file="connectors/tickets/connector.yaml")[1] == ()


def test_the_binding_is_sound() -> None:
    """The example of an environment can be copied."""
    assert load_environment(example(ENV), file="env/production.yaml")[1] == ()


def test_every_code_of_a_connector_is_explained() -> None:
    """Each problem code has its row, and no row is left over."""
    assert codes("connectors/cosell_connectors", "C") == set(re.findall(r"C0[1-9]\d", CONNECTORS))


def test_every_code_of_an_environment_is_explained() -> None:
    """Each problem code of ours has its row; V014 is the definitions' own."""
    assert codes("env/cosell_env", "V") == set(re.findall(r"V0[1-9]\d", ENV)) - {"V014"}


def test_every_setting_is_explained() -> None:
    """Each setting that connections have in common stands in one of the two pages."""
    pages = CONNECTORS + ENV

    assert [key for key in KNOWN_KEYS | SECRET_KEYS if f"`{key}`" not in pages] == []
