"""Turn a parser's events into a tree. The one place that knows PyYAML."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import yaml

from .braces import BARE_KEYS, first_unquoted, quoted_line
from .decoding import BREAKS
from .faults import fault_of
from .marking import Mark, Marks, Moved, end_of, start_of
from .nodes import LEAF, Extent, MappingNode, Node, ScalarNode, SequenceNode
from .problems import Place, Problem, did_you_mean
from .strictness import Kind, Span, breaches, misread
from .tracing import Turn, turns_of

MAX_DEPTH = 250  # a step in a case of a `switch` is four levels deeper than the switch
MAX_ALIASES = 100
MAX_COPIED_NODES = 20_000
MAX_COLLECTED = 100  # with so many slips of layout, nothing else about the file can be said

# The C parser is some ten times faster; both give the same events.
LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_OF_NODES = frozenset(
    [
        yaml.ScalarEvent,
        yaml.AliasEvent,
        yaml.MappingStartEvent,
        yaml.MappingEndEvent,
        yaml.SequenceStartEvent,
        yaml.SequenceEndEvent,
    ]
)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open."""

    place: Place
    anchor: str | None
    is_mapping: bool
    entries: dict[str, tuple[ScalarNode, Node]] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    indent: int = -1  # column of the innermost block collection that is open here, from 0
    in_flow: bool = False
    faulty: bool = False
    key: Node | None = None
    extent: Extent = field(default_factory=Extent)


class Composer:
    """Turns the parser's events into nodes with an explicit stack: no nesting can exhaust ours."""

    def __init__(self, source: str, file: str, *, moved: Moved | None = None) -> None:
        self.source = source
        self.file = file
        self._marks = Marks(file, moved or {})
        self.problems: list[Problem] = []
        self.unquoted: int | None = None  # line of the first unquoted {{
        self.failed = False
        self._texts: list[Span] = []
        self._brackets: list[Span] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, Extent]] = {}
        self._root: Node | None = None
        self._copies = 0
        self._copied = 0
        self._stopped = False
        self._lines = BREAKS.split(source)

    def compose(self) -> Node | None:
        """The root node, if there is one."""
        try:
            for event in self._events():
                self._take(event)
                if self._stopped:
                    return None
        except yaml.YAMLError as error:
            self._fail(error)
            return None
        self.problems += breaches(self._texts, self._brackets, self._lines, self.file)
        return self._root

    def in_text(self, line: int, column: int) -> bool:
        """Whether a spot lies inside quoted or block text."""
        spot = (line - 1, column - 1)
        index = bisect.bisect_right(self._texts, spot, key=lambda text: (text.first, text.start))
        return index > 0 and spot < (self._texts[index - 1].last, self._texts[index - 1].end)

    def _events(self) -> Iterator[yaml.Event]:
        documents = 0
        for event in yaml.parse(self.source, Loader=LOADER):
            kind = type(event)
            if kind in _OF_NODES:
                if documents == 1:
                    yield event
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents == 2:
                    self._report(
                        "Y006",
                        event,
                        "a second document begins here; a file holds one",
                        "move what follows into a file of its own, and delete this ---",
                    )
            elif kind is yaml.DocumentEndEvent and documents == 1 and self._is_blank(self._root):
                self._say_empty()
                self._root = None
        if documents == 0:
            self._say_empty()

    def _is_blank(self, node: Node | None) -> bool:
        return isinstance(node, ScalarNode) and not node.text and not node.quoted

    def _say_empty(self) -> None:
        problem = Problem(
            code="Y007",
            place=Place(file=self.file),
            message="this file is empty",
            hint="the first line says what it is, for example: flow: v1",
        )
        if not self.problems:
            self.problems.append(problem)

    def _take(self, event: yaml.Event) -> None:
        # Some fifteen thousand events make up a project: the commonest are asked for first.
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.AliasEvent):
            self._take_alias(event)

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        text, anchor, tag, style = event.value, event.anchor, event.tag, event.style
        place = self._marks.place(event) if anchor is None else self._behind_mark(event)
        in_flow = bool(self._stack) and self._stack[-1].in_flow
        if style:
            self._note_text(event)
        elif "{{" in text and self.unquoted is None:
            self.unquoted = start_of(event).line + 1
        if anchor is not None or (in_flow and not style):
            self._refuse_misread(event, None if style or not in_flow else text)
        if tag is not None:
            self._refuse_tag(event)
        turns = self._turns(event, place)
        quoted = bool(style)
        if quoted and self._marks.moved:
            quoted = not self._marks.quoted_by_us(event)
        node = ScalarNode(text, quoted, place, tag is not None, turns)
        if anchor is not None:
            self._anchors[anchor] = (node, LEAF)
        self._put(node, LEAF)

    def _turns(self, event: yaml.ScalarEvent, place: Place) -> tuple[Turn, ...]:
        """Where the letters stand, where they do not simply follow one another on one line."""
        start, end = start_of(event), end_of(event)
        if self._marks.moved and self._marks.is_mended(event):
            return ()
        length = len(event.value) + (2 if event.style else 0)
        if start.line == end.line and end.column - place.column + 1 == length:
            return ()
        style = event.style or ""
        return turns_of(event.value, self._lines, line=place.line, column=place.column, style=style)

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        node: Node = ScalarNode("", quoted=False, place=self._marks.place(event), faulty=True)
        if name not in self._anchors:
            near = did_you_mean(name, self._anchors)
            self._report(
                "Y009",
                event,
                f"nothing before this line is marked &{name}",
                f"did you mean *{near}?"
                if near
                else f'if the star is part of the text, write "*{name}"',
            )
            self._put(node, Extent())
            return
        target, extent = self._anchors[name]
        self._copies += 1 + extent.copies
        self._copied += extent.size
        if len(self._stack) + extent.height > MAX_DEPTH:
            self._too_deep(event)
            return
        if self._copies > MAX_ALIASES or self._copied > MAX_COPIED_NODES:
            self._report(
                "Y008",
                event,
                f"the aliases up to here stand for more than {MAX_ALIASES} copies",
                "write the values out, or put them in one place that the steps read from",
            )
            self._stopped = True
            return
        self._put(target, Extent(1 + extent.copies, extent.size, extent.height))

    def _note_text(self, event: yaml.ScalarEvent) -> None:
        start, end = start_of(event), end_of(event)
        kind = Kind.BLOCK if event.style in ("|", ">") else Kind.QUOTED
        indent = self._stack[-1].indent if self._stack else -1
        self._texts.append(Span(kind, start.line, start.column, end.line, end.column, indent))

    def _refuse_misread(self, event: yaml.NodeEvent, plain: str | None) -> None:
        mark = start_of(event)
        line = self._lines[mark.line] if mark.line < len(self._lines) else ""
        wrong = misread(line, mark.column, plain=plain, anchor=event.anchor)
        if wrong is not None:
            self._report("Y010", event, wrong, 'put the whole value in "double quotes"')

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        mark = start_of(event)
        if event.tag is not None:
            self._refuse_tag(event)
        if event.anchor:
            self._refuse_misread(event, None)
        if is_mapping and event.flow_style and self.unquoted is None:
            line = self._lines[mark.line] if mark.line < len(self._lines) else ""
            if line.startswith("{{", mark.column):
                self.unquoted = mark.line + 1
        if len(self._stack) >= MAX_DEPTH:
            self._too_deep(event)
            return
        place = self._marks.place(event)
        if not event.flow_style:
            # A block has no last column of its own: its end mark is the start of what follows.
            place = Place(file=self.file, line=place.line, column=place.column)
        indent = self._stack[-1].indent if self._stack else -1
        if not event.flow_style and not event.anchor:
            indent = mark.column
        self._stack.append(
            _Frame(
                place=place,
                anchor=event.anchor,
                is_mapping=is_mapping,
                indent=indent,
                in_flow=bool(event.flow_style),
            )
        )

    def _too_deep(self, event: yaml.Event) -> None:
        self._report(
            "Y015",
            event,
            f"this is nested more than {MAX_DEPTH} levels deep",
            "flatten it: a flow can call another flow, a list can stand under one key",
        )
        self._stopped = True

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        frame = self._stack.pop()
        if frame.in_flow and not (self._stack and self._stack[-1].in_flow):
            self._note_flow(frame, end_of(event))
        node: Node
        if frame.is_mapping:
            node = MappingNode(frame.entries, frame.place, frame.faulty)
        else:
            node = SequenceNode(tuple(frame.items), frame.place)
        if frame.anchor:
            self._anchors[frame.anchor] = (node, frame.extent)
        self._put(node, frame.extent)

    def _note_flow(self, frame: _Frame, end: Mark) -> None:
        first, start = frame.place.line - 1, frame.place.column - 1
        self._brackets.append(Span(Kind.FLOW, first, start, end.line, end.column, frame.indent))

    def _put(self, node: Node, extent: Extent) -> None:
        """Hang a finished node where it belongs."""
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        frame.extent.hold(extent)
        if not frame.is_mapping:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._put_entry(frame, key, node)

    def _put_entry(self, frame: _Frame, key: Node, value: Node) -> None:
        if not isinstance(key, ScalarNode):
            frame.faulty = True
            if self.unquoted is None:
                self._say(
                    "Y016", key.place, "a key must be a single word or text", "give it a name"
                )
            return
        if key.text == "<<" and not key.quoted:
            frame.faulty = True
            self._say(
                "Y005",
                key.place,
                "merge keys (<<) are not read",
                "write the keys out; for retries and the like, `defaults:` of the flow is meant",
            )
            return
        if key.text in frame.entries:
            first = frame.entries[key.text][0].place
            self._say(
                "Y002",
                key.place,
                f"the key {key.text!r} stands here a second time; first on line {first.line}",
                "delete one of the two, or rename it",
            )
            return
        frame.entries[key.text] = (key, value)

    def _refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        tag = tag if len(tag) <= 40 else f"{tag[:39]}…"
        hint = "delete the tag; a text that begins with ! goes in quotes"
        key = self._stack[-1].key if self._stack else None
        if isinstance(key, ScalarNode) and key.text in BARE_KEYS and not tag.startswith("!!"):
            negated = f"{tag[1:]} {getattr(event, 'value', '')}".strip()
            hint = f"for the opposite, write: {key.text}: not {negated}"
        self._report(
            "Y003", event, f"the tag {tag} is not read; types come from what a key is for", hint
        )

    def _fail(self, error: yaml.YAMLError) -> None:
        self.failed = True
        if self._root is None and not self._stack and not any(map(_says_anything, self._lines)):
            self._say_empty()
            return
        self.problems = [problem for problem in self.problems if problem.code != "Y007"]
        fault = fault_of(error, self._lines, self.file)
        fault = replace(fault, place=self._marks.as_typed(fault.place))
        if self.unquoted is None:
            self.unquoted = self._braces_near(fault.place.line, error)
        if self.unquoted is None:
            self.problems.append(fault)

    def _braces_near(self, line: int, error: yaml.YAMLError) -> int | None:
        """The line of unquoted braces that may have led the parser astray."""
        marks = (getattr(error, "context_mark", None), getattr(error, "problem_mark", None))
        candidates: list[int] = [line, *(mark.line + 1 for mark in marks if mark is not None)]
        candidates.append(min(candidates) - 1)
        for number in sorted(set(candidates)):
            if not 1 <= number <= len(self._lines):
                continue
            text = self._lines[number - 1]
            # Braces in a block of text need no quotes.
            if quoted_line(text) and not self.in_text(number, first_unquoted(text) + 1):
                return number
        return None

    def _report(self, code: str, event: yaml.Event, message: str, hint: str) -> None:
        self._say(code, self._marks.place(event), message, hint)

    def _say(self, code: str, place: Place, message: str, hint: str) -> None:
        self.problems.append(Problem(code=code, place=place, message=message, hint=hint))
        if len(self.problems) > MAX_COLLECTED:
            self._stopped = True

    def _behind_mark(self, event: yaml.ScalarEvent) -> Place:
        """Where a value stands that is marked `&name`: behind the mark, if on the same line."""
        place, mark = self._marks.place(event), start_of(event)
        line = self._lines[mark.line] if mark.line < len(self._lines) else ""
        skipped = re.compile(r"&\S+[ ]+(?=\S)").match(line, mark.column)
        return place._replace(column=skipped.end() + 1) if skipped else place


def _says_anything(line: str) -> bool:
    return (
        bool(line.strip()) and not line.startswith(("#", "---", "...")) and line.strip()[0] != "#"
    )
