"""Lay a document out in its one canonical form: the same signs and words, other blanks between them.

Only blanks, line ends and trailing commas change, so that no comment can be lost. The round trip of
a YAML library loses comments inside brackets, and takes +39 for 39.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .decoding import BREAKS
from .layout import Levels, Line, aligned, block_text, column_of_comment, continued
from .nodes import MappingNode, Node, ScalarNode, SequenceNode
from .reading import read
from .tokenizing import SILENT, Sign, Token, tokens_of

_OPENING = (Sign.OPEN_MAP, Sign.OPEN_LIST)
_CLOSING = (Sign.CLOSE_MAP, Sign.CLOSE_LIST)


def formatted(text: str) -> str:
    """A sound document in canonical form; as it was, where another form would say something else."""
    bare = text.removeprefix("\ufeff")
    source = "\n".join(BREAKS.split(bare))
    last = source.rpartition("\n")[2]
    if last and not last.strip(" "):
        source += "\n"  # a blank last line of a text is one, also without its line end
    laid = _Printer(source).whole()
    if not same(source, laid):
        return text
    return laid.replace("\n", "\r\n") if "\r\n" in bare else laid


def same(before: str, after: str) -> bool:
    """Whether two documents say the same, letter by letter, whatever their layout."""
    one, other = read(before, file=""), read(after, file="")
    if one.problems or other.problems or one.root is None or other.root is None:
        return False
    return _content(one.root) == _content(other.root)


def _content(node: Node) -> object:
    match node:
        case ScalarNode(text, quoted, _):
            return text, quoted
        case SequenceNode(items, _):
            return [_content(item) for item in items]
        case MappingNode(entries, _):
            return [(key.quoted, name, _content(it)) for name, (key, it) in entries.items()]


@dataclass(slots=True)
class _Gap:
    """What stands between two tokens: a comment behind the first, and lines of their own."""

    tail: str = ""
    tail_column: int = 0
    lines: list[tuple[int, str]] = field(default_factory=list)  # comments; "" for a blank line
    breaks: bool = False

    @property
    def comments(self) -> bool:
        """Whether anything is said in it."""
        return bool(self.tail) or any(comment for _, comment in self.lines)


class _Printer:
    """Takes tokens one after the other, and writes lines."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.done: list[Line] = []
        self.line: str | None = None  # the one that is being written
        self.levels = Levels()
        self.depth = 0  # of brackets
        self.before: Token | None = None
        self.at = 0  # end of what has been taken

    def whole(self) -> str:
        """The whole document."""
        tokens = list(tokens_of(self.source))
        keeps_marks = any(token.sign is Sign.DIRECTIVE for token in tokens)
        silent: list[Token] = []
        for token in tokens:
            if token.sign in SILENT:
                silent.append(token)
            elif token.sign in (Sign.DOCUMENT, Sign.DOCUMENT_END) and not keeps_marks:
                self._leave_out(token)
            else:
                self._take(token, silent)
                silent = []
        self._end_line(self._gap(len(self.source)), None, self.levels.columns())
        while self.done and not self.done[-1].text and not self.done[-1].fixed:
            self.done.pop()
        return "\n".join(aligned(self.done)) + "\n"

    # -- one token --------------------------------------------------------------------------------

    def _take(self, token: Token, silent: list[Token]) -> None:
        gap = self._gap(token.start)
        if token.sign in _CLOSING and not gap.comments:
            gap = _Gap()  # a closing bracket stands behind the last entry, without a comma
            if self.before is not None and self.before.sign is Sign.COMMA and self.line:
                self.line = self.line.removesuffix(",")
        breaks = gap.breaks or self.line is None
        levels = self.levels.columns()
        if not self.depth:
            onward = len(self.line) + 1 if self.line else 0
            self.levels.settle(silent, breaks=breaks, column=onward)
            self.levels.enter(token)
        if breaks:
            at_key = any(it.sign is Sign.KEY for it in silent)
            column = (
                self.levels.inner(self.depth)
                if self.depth
                else self.levels.column(token, at_key=at_key)
            )
            self._end_line(gap, (token.column, column), levels)
            self.line = " " * column
        else:
            self.line = (self.line or "") + self._blank_before(token)
        self._write(token)

    def _leave_out(self, token: Token) -> None:
        """Leave out a mark of the document's start or end; what is said behind it stays."""
        self._end_line(self._gap(token.start), (0, 0), ())
        self.before, self.at = None, token.end

    def _write(self, token: Token) -> None:
        text = self.source[token.start : token.end]
        self.before, self.at = token, token.end
        self.depth += (token.sign in _OPENING) - (token.sign in _CLOSING)
        line = self.line or ""
        if token.style in ("|", ">"):
            old, new = self.levels.old(), self.levels.inner(0)
            head, body, self.at = block_text(token, self.source, old=old, new=new)
            self.done.append(Line(line + head))
            self.done += [Line(one, fixed=True) for one in body]
            self.line = None
        elif "\n" in text:
            indent = self.levels.inner(max(1, self.depth) if self.levels.columns() else self.depth)
            first, *rest = continued(text, indent=indent, style=token.style)
            *middle, last = [line + first, *rest]
            self.done += [Line(one) for one in middle]
            self.line = last
        else:
            self.line = line + text

    def _blank_before(self, token: Token) -> str:
        before = self.before.sign if self.before is not None else None
        if token.sign is Sign.COMMA or before is Sign.OPEN_LIST or token.sign is Sign.CLOSE_LIST:
            return ""
        if token.sign is Sign.COLON:
            return "" if before is Sign.SCALAR else " "
        if token.sign is Sign.CLOSE_MAP and before is Sign.OPEN_MAP:
            return ""
        return " "

    # -- what stands between tokens ---------------------------------------------------------------

    def _gap(self, until: int) -> _Gap:
        first, *lines = self.source[self.at : until].split("\n")
        gap = _Gap(breaks=bool(lines))
        if first.strip():
            start = self.source.rfind("\n", 0, self.at) + 1
            gap.tail = first.strip()
            gap.tail_column = self.at - start + len(first) - len(first.lstrip())
        if lines and until < len(self.source):
            lines.pop()  # what stands before the token on its own line
        gap.lines = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in lines]
        return gap

    def _end_line(
        self,
        gap: _Gap,
        following: tuple[int, int] | None,
        levels: list[tuple[int, int]] | tuple[()],
    ) -> None:
        """Finish the line, and write what stands on lines of its own before the next token."""
        if self.line is not None:
            self.done.append(Line(self.line.rstrip(), gap.tail, gap.tail_column))
        elif gap.tail:
            gap.lines.insert(0, (0, gap.tail))
        self.line = None
        for column, comment in gap.lines:
            if comment:
                inside = self.levels.inner(self.depth) if self.depth else None
                indent = column_of_comment(column, following, levels) if inside is None else inside
                self.done.append(Line(" " * indent + comment))
            elif self.done and (self.done[-1].text or self.done[-1].fixed):
                self.done.append(Line(""))
