"""Draw a flow as one SVG picture: boxes inside boxes, from the top down. Pure.

A flow has no jumps, so its picture needs no graph layout: a step that holds others is drawn around
them, and branches stand side by side. Sizes come up from the inside, places go down from the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from .outlining import Outline

_LETTER = 7.0  # what a letter of the small text takes, nearly
_LINE = 16.0
_PAD = 12.0
_GAP = 18.0
_NARROWEST, _LONGEST = 190.0, 58  # of a box; of a line of text, in letters
_WIDEST = 1500.0  # branches side by side, or else one below the other

_COLOURS = {
    "action": ("#e8f1fb", "#2f6fb3"),
    "call": ("#f0eafa", "#7250b0"),
    "set": ("#f4f5f7", "#7a828c"),
    "if": ("#fdf3dc", "#b8861b"),
    "switch": ("#fdf3dc", "#b8861b"),
    "foreach": ("#e5f5f0", "#2a8a6e"),
    "until": ("#e5f5f0", "#2a8a6e"),
    "parallel": ("#e5f5f0", "#2a8a6e"),
    "wait": ("#f4f5f7", "#7a828c"),
    "approve": ("#fde8ef", "#b83e6b"),
    "stop": ("#fbe6e4", "#b5453a"),
    "steps": ("#fafbfc", "#a5adb8"),
}
_STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:12px;fill:#1f2933}"
    ".id{font-weight:600}.kind{fill:#5b6670;font-size:11px}.when{font-style:italic;fill:#6b5a1c}"
    ".head{font-size:17px;font-weight:600}.side{fill:#3c4650}"
    ".way{fill:none;stroke:#7a828c;stroke-width:1.3}"
)
_TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 8 4 0 8z" fill="#7a828c"/></marker>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What stands above the picture."""

    title: str
    lines: Sequence[str] = ()


@dataclass(slots=True)
class _Box:
    """A step with its size: its own lines, and the columns of steps inside it."""

    step: Outline
    lines: list[tuple[str, str]]  # class and text
    columns: list[tuple[str, list[_Box]]] = field(default_factory=list)
    beside: bool = True
    width: float = 0.0
    height: float = 0.0

    @property
    def head(self) -> float:
        """The height of the box's own lines."""
        return _PAD + _LINE * len(self.lines)


def svg(caption: Caption, starts: Sequence[str], steps: tuple[Outline, ...]) -> str:
    """The whole picture; *starts* are what begins the flow."""
    boxes = [_sized(one) for one in steps]
    width, _ = _stack_size(boxes)
    pills = sum(_text_width(one) + 2 * _PAD + _GAP for one in starts) - _GAP if starts else 0.0
    captioned = max((_text_width(one) for one in caption.lines), default=0.0)
    whole = max(width, pills, captioned, _text_width(caption.title) * 1.5) + 2 * _GAP
    pen = _Pen()
    top = pen.caption(caption)
    middle = whole / 2
    under = pen.starts(starts, pills, middle, top)
    bottom = pen.stack(boxes, middle, under, arrow=bool(starts))
    pen.pill("end", middle, bottom + _GAP, arrow_from=bottom)
    total = bottom + _GAP + 26 + _GAP
    size = f'width="{whole:.0f}" height="{total:.0f}"'
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {whole:.0f} {total:.0f}"'
    )
    head = [
        f"{opening} {size}>",
        f"<title>{escape(caption.title)}</title>",
        f"<style>{_STYLE}</style>",
        f"<defs>{_TIP}</defs>",
        f'<rect {size} fill="#ffffff"/>',
    ]
    return "\n".join([*head, *pen.marks, "</svg>"])


def _sized(step: Outline) -> _Box:
    """A step as a box, its size from what is inside."""
    lines = [("id", _short(step.id))]
    if step.when is not None:
        lines.append(("when", _short(f"when {step.when}")))
    said = f"{step.kind} {step.says}".strip() if step.kind != "steps" else step.says
    if said:
        lines.append(("kind", _short(said)))
    columns = [(name, [_sized(one) for one in inner]) for name, inner in step.branches.items()]
    box = _Box(step, lines, columns)
    own = max(_text_width(text) for _, text in lines) + 2 * _PAD
    sizes = [_stack_size(inner) for _, inner in columns]
    beside = sum(width for width, _ in sizes) + _GAP * (len(sizes) + 1)
    box.beside = beside <= _WIDEST
    inner = beside if box.beside else max((w for w, _ in sizes), default=0.0) + 2 * _GAP
    box.width = max(_NARROWEST, own, inner if columns else 0.0)
    heights = [height + _label(name) for (name, _), (_, height) in zip(columns, sizes, strict=True)]
    below = (
        (max(heights) if box.beside else sum(heights) + _GAP * (len(heights) - 1)) if heights else 0
    )
    box.height = box.head + (below + 2 * _PAD if columns else _PAD * 0.6)
    return box


def _label(name: str) -> float:
    return 0.0 if name == "steps" else _LINE + 6


def _stack_size(boxes: Sequence[_Box]) -> tuple[float, float]:
    width = max((one.width for one in boxes), default=_NARROWEST)
    return width, sum(one.height for one in boxes) + _GAP * max(0, len(boxes) - 1)


def _text_width(text: str) -> float:
    return len(text) * _LETTER


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@dataclass(slots=True)
class _Pen:
    """Draws, and keeps what it drew."""

    marks: list[str] = field(default_factory=list)

    def caption(self, caption: Caption) -> float:
        """Title and lines in the corner; gives the height below them."""
        y = 28.0
        self.text(caption.title, _GAP, y, "head")
        for line in caption.lines:
            y += _LINE + 1
            self.text(line, _GAP, y, "side")
        return y + _GAP

    def starts(self, starts: Sequence[str], width: float, middle: float, top: float) -> float:
        """What begins the flow, side by side; gives the height below."""
        x = middle - width / 2
        for one in starts:
            wide = _text_width(one) + 2 * _PAD
            self.pill(one, x + wide / 2, top)
            x += wide + _GAP
        return top + 26 if starts else top

    def pill(self, text: str, middle: float, y: float, *, arrow_from: float | None = None) -> None:
        """A round box."""
        wide = _text_width(text) + 2 * _PAD
        if arrow_from is not None:
            self.arrow(middle, arrow_from, y)
        self.marks.append(
            f'<rect x="{middle - wide / 2:.1f}" y="{y:.1f}" width="{wide:.1f}" height="26" rx="13" '
            'fill="#eef1f4" stroke="#7a828c"/>'
        )
        self.text(text, middle, y + 17, "side", anchor="middle")

    def stack(self, boxes: Sequence[_Box], middle: float, top: float, *, arrow: bool) -> float:
        """Boxes one below the other; gives the height below the last."""
        for index, box in enumerate(boxes):
            if index or arrow:
                self.arrow(middle, top, top + _GAP)
                top += _GAP
            self.box(box, middle - box.width / 2, top)
            top += box.height
        return top

    def box(self, box: _Box, x: float, y: float) -> None:
        """A step, and what is inside it."""
        fill, line = _COLOURS.get(box.step.kind, _COLOURS["set"])
        dashes = ' stroke-dasharray="5 3"' if box.step.when is not None else ""
        told = f"{box.step.id}: {box.step.kind} {box.step.says}"
        self.marks.append(
            f'<g><title>{escape(told)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" rx="6" fill="{fill}" stroke="{line}"{dashes}/></g>'
        )
        for index, (kind, text) in enumerate(box.lines):
            self.text(text, x + _PAD, y + _PAD + 4 + _LINE * (index + 0.35), kind)
        left, top = x + _GAP, y + box.head + _PAD
        for name, inner in box.columns:
            width, height = _stack_size(inner)
            middle = left + width / 2 if box.beside else x + box.width / 2
            if len(box.columns) == 1:
                middle = x + box.width / 2
            if name != "steps":
                self.text(_short(name), middle, top + 11, "when", anchor="middle")
            self.stack(inner, middle, top + _label(name), arrow=False)
            if box.beside:
                left += width + _GAP
            else:
                top += height + _label(name) + _GAP

    def arrow(self, x: float, top: float, bottom: float) -> None:
        """A way down."""
        self.marks.append(
            f'<path class="way" d="M{x:.1f} {top:.1f}V{bottom:.1f}" marker-end="url(#tip)"/>'
        )

    def text(self, text: str, x: float, y: float, kind: str, *, anchor: str = "start") -> None:
        """A line of text."""
        placed = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.marks.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{placed}>{escape(text, quote=False)}</text>'
        )
