"""Draw a flow as a Mermaid flowchart. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cosell_definitions.model import Flow

from .outlining import Outline, outline, trigger_said

_OPEN_CLOSE = {
    "if": ("{", "}"),
    "switch": ("{", "}"),
    "stop": ("([", "])"),
    "call": ("[[", "]]"),
    "wait": ("[/", "/]"),
}
_LONGEST = 60

Ends = list[
    tuple[str, str]
]  # nodes from which the next step is reached, each with a word on the way


def mermaid(flow: Flow) -> str:
    """The flow as a Mermaid flowchart, for Markdown: a picture of its steps."""
    drawing = _Drawing()
    starts: Ends = []
    for trigger in flow.triggers:
        node = drawing.node(f"{trigger.id}: {trigger_said(trigger)}", "([", "])")
        starts.append((node, ""))
    ends = drawing.steps(outline(flow.steps), starts)
    drawing.join(ends, drawing.node("end", "([", "])"))
    return "\n".join(["flowchart TD", *drawing.lines])


@dataclass(slots=True)
class _Drawing:
    lines: list[str] = field(default_factory=list)
    count: int = 0
    indent: str = "  "

    def node(self, text: str, opening: str = "[", closing: str = "]") -> str:
        """A new node with that text."""
        self.count += 1
        name = f"n{self.count}"
        self.lines.append(f'{self.indent}{name}{opening}"{_safe(text)}"{closing}')
        return name

    def join(self, ends: Ends, node: str) -> None:
        """An arrow from each of *ends* to *node*."""
        for end, word in ends:
            label = f'|"{_safe(word)}"|' if word else ""
            self.lines.append(f"{self.indent}{end} -->{label} {node}")

    def steps(self, steps: Iterable[Outline], ends: Ends) -> Ends:
        """One step after the other; gives the ends of the last one."""
        for step in steps:
            ends = self.step(step, ends)
        return ends

    def step(self, step: Outline, ends: Ends) -> Ends:
        """One step with what is inside it; gives the ends from which it goes on."""
        if step.when is None:
            return self._always(step, ends)
        question = self.node(f"{step.id} when {step.when}", "{", "}")
        self.join(ends, question)
        return [*self._always(step, [(question, "yes")]), (question, "no")]

    def _always(self, step: Outline, ends: Ends) -> Ends:
        if step.kind in ("foreach", "until", "steps"):
            return self._framed(step, ends)
        node = self.node(
            f"{step.id}: {step.says}" if step.says else step.id,
            *_OPEN_CLOSE.get(step.kind, ("[", "]")),
        )
        self.join(ends, node)
        return self._after(step, node)

    def _after(self, step: Outline, node: str) -> Ends:
        if step.kind == "stop":
            return []
        ways = {
            name: one for name, one in step.branches.items() if name not in ("on_error", "finally")
        }
        if not ways:
            after: Ends = [(node, "")]
        else:
            after = []
            for name, inner in ways.items():
                after += self.steps(inner, [(node, name)])
            missing = {"if": "else", "switch": "default"}.get(step.kind)
            if missing is not None and missing not in ways:
                after.append((node, missing))
        return self._closing(step, node, after)

    def _framed(self, step: Outline, ends: Ends) -> Ends:
        self.count += 1
        frame = f"s{self.count}"
        title = step.id if step.kind == "steps" else f"{step.id}: {step.kind} {step.says}"
        self.lines.append(f'{self.indent}subgraph {frame}["{_safe(title)}"]')
        self.indent += "  "
        self.steps(step.branches.get("steps", ()), [])
        self.indent = self.indent[:-2]
        self.lines.append(f"{self.indent}end")
        self.join(ends, frame)
        return self._closing(step, frame, [(frame, "")])

    def _closing(self, step: Outline, node: str, after: Ends) -> Ends:
        if "on_error" in step.branches:
            after = [*after, *self.steps(step.branches["on_error"], [(node, "on error")])]
        if "finally" in step.branches:
            after = self.steps(step.branches["finally"], after)
        return after


def _safe(text: str) -> str:
    """Text that Mermaid takes as it is, no longer than a node bears."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    for sign, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"),
                         ("{", "#123;"), ("}", "#125;"), ("|", "#124;")):  # fmt: skip
        short = short.replace(sign, entity)
    return short
