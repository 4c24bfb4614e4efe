"""The pictures of flows: Mermaid takes what we write for it, and SVG shows every step in its place."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cosell_definitions.model import Flow
from cosell_definitions.parsing import load_flow
from cosell_flows.cli.drawing import mermaid
from cosell_flows.cli.outlining import all_steps, outline
from cosell_flows.cli.picturing import Caption, svg

pytestmark = pytest.mark.long
HOUSE = Path(__file__).parents[2]
JUDGE = HOUSE / ".judges" / "mermaid"  # git ignores it
PACKAGES = ("mermaid@11", "jsdom@26")
SCRIPT = """\
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";
globalThis.window = new JSDOM("").window;
globalThis.document = globalThis.window.document;
const { default: mermaid } = await import("mermaid");
const refused = {};
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  try { await mermaid.parse(text); } catch (error) { refused[name] = error.message; }
}
console.log(JSON.stringify(refused));
"""
ODD = """\
flow: v1
id: odd
name: "Odd \\"names\\" & <tags>"
steps:
  - { id: end, set: { graph: "a | b --> c; %% {{ '{' }}" } }
  - id: subgraph
    when: "'\\"' in 'a]b' and 1 < 2"
    foreach: "['<b>', '#quot;', '✔ é 日本']"
    as: item
    steps:
      - { id: class, if: "item == '}'", then: [{ id: click, wait: 1s }] }
      - { id: style, parallel: { end: [{ id: one, wait: 1s }], "a b|c": [{ id: two, wait: 1s }] } }
    finally: [{ id: default, stop: { status: failed, reason: "it's (over) [now]" } }]
"""
SHIPPED = sorted(HOUSE.glob("definitions/cosell/*.flow.yaml"))


def test_mermaid_takes_every_picture() -> None:
    """Its own parser refuses none of them, whatever words stand in a flow; it does refuse nonsense."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed, so there is no mermaid to ask")
    if not (JUDGE / "node_modules/mermaid").is_dir():
        JUDGE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(JUDGE), *PACKAGES]
        installed = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=300
        )
        if installed.returncode != 0:
            pytest.skip(f"mermaid cannot be installed: {installed.stderr[-200:]}")
    (JUDGE / "parse.mjs").write_text(SCRIPT, encoding="utf-8")
    texts = {path.name: path.read_text("utf-8") for path in SHIPPED} | {"odd.flow.yaml": ODD}
    pictures = {name: mermaid(_flow(text, name)) for name, text in texts.items()}
    pictures["nonsense"] = "flowchart TD\n  a[ --> b"

    judged = subprocess.run(
        ["node", "parse.mjs"], cwd=JUDGE, input=json.dumps(pictures), check=True,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert list(json.loads(judged.stdout)) == ["nonsense"]


@pytest.mark.parametrize("text", [*SHIPPED, ODD], ids=lambda it: getattr(it, "name", "odd"))
def test_an_svg_shows_every_step_within_the_picture(text: Path | str) -> None:
    """Well-formed, every step by its id, every box inside the sheet."""
    source = text if isinstance(text, str) else text.read_text("utf-8")
    flow = _flow(source, "odd.flow.yaml" if isinstance(text, str) else text.name)

    drawn = ET.fromstring(svg(Caption(title=flow.name), ["by hand"], outline(flow.steps)))

    width, height = float(drawn.attrib["width"]), float(drawn.attrib["height"])
    boxes = [
        [float(it.attrib[name]) for name in ("x", "y", "width", "height")]
        for it in drawn.iter("{http://www.w3.org/2000/svg}rect")
        if "x" in it.attrib
    ]
    words = {it.text for it in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {step.id for step in all_steps(flow.steps)} - words == set()
    assert [it for it in boxes if it[0] < 0 or it[1] < 0] == []
    assert [it for it in boxes if it[0] + it[2] > width or it[1] + it[3] > height] == []


def _flow(text: str, name: str) -> Flow:
    flow, problems = load_flow(text, file=f"definitions/cosell/{name}", draft=True)
    assert flow is not None, problems
    return flow
