"""Write a current value into an environment file, leaving everything else as it was."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from ruamel.yaml import YAML

from cosell_definitions.nodes import MappingNode, Node, ScalarNode
from cosell_definitions.parsing import load_environment
from cosell_definitions.problems import Place, Problem, Unsound
from cosell_definitions.reading import read
from cosell_definitions.saving import save
from cosell_definitions.settings import Declaration

from .resolving import typed

_NEW = """\
# Current values of this environment, and what its connections are bound to.
environment: v1
"""
_BOM = "\ufeff"
_PLAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_ ./+-]*[A-Za-z0-9_])?")


def set_variable(path: Path, name: str, value: str, declaration: Declaration) -> None:
    """Make *value* the current value of *name* in the file at *path*.

    Raises Unsound where the value does not fit its type, or the file has problems already. The
    file is replaced in one step; where there is none, it is made.
    """
    place = Place(file=path.as_posix())
    try:
        typed(declaration, value)
    except ValueError as error:
        hint = declaration.description or None
        raise Unsound([Problem(code="V021", place=place, message=str(error), hint=hint)]) from error
    before = path.read_bytes().decode("utf-8") if path.exists() else ""
    save(path, edited(before, name, value, file=place.file))


def unset_variable(path: Path, name: str) -> None:
    """Take the current value of *name* out of the file at *path*, so that the default counts.

    Raises Unsound where the file has problems already. Nothing happens where it has none.
    """
    before = path.read_bytes().decode("utf-8") if path.exists() else ""
    if before and name in _variables(before, path.as_posix()):
        save(path, without(before, name, file=path.as_posix()))


def without(text: str, name: str, *, file: str) -> str:
    """The *text* of an environment file without a value for *name*, and all else as it was."""
    wanted = {one: value for one, value in _variables(text, file).items() if one != name}
    bom = _BOM if text.startswith(_BOM) else ""
    line_end = "\r\n" if "\r\n" in text else "\n"
    plain = text.removeprefix(_BOM).replace("\r\n", "\n")
    result = _line_taken_out(plain, name, file)
    if result is None or _variables(result, file) != wanted:
        result = _rewritten(plain, name, None)
    if _variables(result, file) != wanted:
        raise ValueError(f"{name} could not be taken out of {file}")
    return bom + result.replace("\n", line_end)


def _line_taken_out(text: str, name: str, file: str) -> str | None:
    """Delete its one line; nothing where it takes more than that."""
    root = read(text, file=file).root
    entry = root.entries.get("variables") if isinstance(root, MappingNode) else None
    values = entry[1] if entry else None
    if not isinstance(values, MappingNode) or len(values.entries) == 1:
        return None
    key, value = values.entries[name]
    if not _is_one_line(value) or value.place.line != key.place.line:
        return None
    if sum(one.place.line == key.place.line for one, _ in values.entries.values()) > 1:
        return None
    lines = text.split("\n")
    del lines[key.place.line - 1]
    return "\n".join(lines)


def edited(text: str, name: str, value: str, *, file: str) -> str:
    """The *text* of an environment file with *value* for *name*, and all else as it was."""
    if not text.removeprefix(_BOM).strip():
        text = _NEW
    wanted = {**_variables(text, file), name: value}
    bom = _BOM if text.startswith(_BOM) else ""
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = text.removeprefix(_BOM).replace("\r\n", "\n").split("\n")
    root = read("\n".join(lines), file=file).root
    assert isinstance(root, MappingNode)
    result = _in_place(lines, root, name, value)
    if result is None or _variables(result, file) != wanted:
        result = _rewritten("\n".join(lines), name, value)  # it is written in an uncommon way
    if _variables(result, file) != wanted:
        raise ValueError(f"{name} could not be written into {file}: {value!r}")
    return bom + result.replace("\n", line_end)


def _variables(text: str, file: str) -> dict[str, str]:
    loaded, problems = load_environment(text, file=file)
    if loaded is None:
        raise Unsound(problems)
    return {name: value for name, (value, _) in loaded.variables.items()}


def _in_place(lines: list[str], root: MappingNode, name: str, value: str) -> str | None:
    """Change or add one line; nothing where it takes more than that."""
    entry = root.entries.get("variables")
    if entry is None:
        version, _ = root.entries["environment"]
        lines[version.place.line : version.place.line] = [
            "variables:",
            f"  {name}: {scalar(value)}",
        ]
        return "\n".join(lines)
    key, node = entry
    if isinstance(node, MappingNode) and name in node.entries:
        return _changed(lines, node.entries[name][1], value)
    if isinstance(node, MappingNode) and node.entries:
        last_key, last = list(node.entries.values())[-1]
        if not _is_one_line(last) or last.place.line == key.place.line:
            return None
        indent = " " * (last_key.place.column - 1)
        lines.insert(last.place.line, f"{indent}{name}: {scalar(value)}")
        return "\n".join(lines)
    row = key.place.line - 1
    lines[row] = re.sub(r"^(\s*\S+\s*:)\s*(\{\s*\}|~|null)?", r"\1", lines[row], count=1)
    indent = " " * (key.place.column + 1)
    lines.insert(row + 1, f"{indent}{name}: {scalar(value)}")
    return "\n".join(lines)


def _changed(lines: list[str], node: Node, value: str) -> str | None:
    if not _is_one_line(node) or node.place.end_column is None:
        return None
    row = node.place.line - 1
    begin, end = node.place.column - 1, node.place.end_column - 1
    lines[row] = lines[row][:begin] + scalar(value) + lines[row][end:]
    return "\n".join(lines)


def _is_one_line(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.place.end_column is not None


def scalar(value: str) -> str:
    """*value* as YAML: plain where that is safe, or else in double quotes."""
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _rewritten(text: str, name: str, value: str | None) -> str:
    """The whole file written anew, with its comments; without the name where *value* is None."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000  # never fold a line that somebody wrote long
    root = yaml.load(text)
    if value is None:
        del root["variables"][name]
        if not root["variables"]:
            del root["variables"]
    else:
        root["variables"][name] = value
    written = io.StringIO()
    yaml.dump(root, written)
    return written.getvalue()
