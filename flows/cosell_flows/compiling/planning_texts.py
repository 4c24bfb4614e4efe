"""Tell of a text that is the name of something, and would be read only within braces."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from cosell_definitions.model import Template, Value
from cosell_definitions.nodes import Node, ScalarNode, scalars_in
from cosell_definitions.problems import Place, Severity

from . import syntax as s
from .expressions import compiled
from .failing import spot
from .finding import Findings
from .types import Type
from .values import Faulty

_LIKE_A_PATH = re.compile(
    r"(?P<first>[A-Za-z_]\w*)(?:\.(?P<second>\w+)|\[\s*['\"](?P<key>[^'\"]+)['\"]\s*\])"
    r"(?:\.(?P<third>\w+))?(?:\.\w+|\[[^\]]*\])*(?:\s*\|[^|].*)?"
)
_FOREIGN = re.compile(
    r"(?P<sign>[$@]?)(?<!\{)\{(?P<merge>!?)\s*(?P<inside>(?P<call>(?<=@\{)\w+\()?[^{}]*?)\s*\}(?!\})"
    r"|^@(?P<called>\w+\(.*\))$"
)
_QUERY = re.compile(r"\s*(SELECT|FIND)\s", re.IGNORECASE)
_OF_A_STEP = ("output", "status", "error")

Known = Mapping[str, Collection[str]]
"""What stands under each name that an expression could read here."""


def known_by(types: Mapping[str, Type]) -> dict[str, Collection[str]]:
    """The fields of what has a name here."""
    return {name: type_.fields or () for name, type_ in types.items()}


def check_texts(nodes: Iterable[Node], known: Known, found: Findings) -> None:
    """Every text in values that is letter by letter what an expression would be."""
    for node in nodes:
        for scalar in scalars_in(node):
            if "{{" in scalar.text:
                check_query(Template(scalar.text, scalar.inside, scalar.turns), found)
                continue
            check_text(scalar.text, scalar.place, known, found)
            _check_foreign(scalar, known, found)


def check_text(value: Value, place: Place, known: Known, found: Findings) -> None:
    """One such value."""
    if isinstance(value, str) and names_something(value, known):
        found.say(
            "X013",
            place,
            f"{value!r} is a text here, letter by letter",
            f"""write "{{{{ {value} }}}}"; for this very text, "{{{{ '{value}' }}}}\"""",
            severity=Severity.WARNING,
        )


def _check_foreign(scalar: ScalarNode, known: Known, found: Findings) -> None:
    """A text that another tool would evaluate: ${inputs.name}, @{triggerBody()}, {!Account.Name}."""
    for braces in _FOREIGN.finditer(scalar.text):
        inside = braces["inside"] or ""
        path = inside if names_something(inside, known) else f"inputs.{inside}"
        meant = names_something(path, known) and (path == inside or bool(braces["sign"]))
        if meant or braces["call"] or braces["merge"] or braces["called"]:
            shown = path if meant else "inputs.name"
            found.say(
                "X013",
                scalar.place,
                f"{braces[0]} is a text here, letter by letter; other tools would read it",
                f'an expression stands in two braces, in quotes: "{{{{ {shown} }}}}"',
                severity=Severity.WARNING,
            )
            return


def check_query(template: Template, found: Findings) -> None:
    """What is put between quotes of a query ends them with its own first quote."""
    if not _QUERY.match(template.text):
        return
    try:
        whole = compiled(template.text)
    except Faulty:
        return  # which is told with all else of it
    before = ""
    for part in whole.parts:
        if isinstance(part, str):
            before = part
        elif before.endswith("'") and not _escapes(part.syntax):
            text = template.text[part.at : template.text.find("}}", part.at)].strip()
            twice = isinstance(part.syntax, s.Filtered) and part.syntax.name == "soql"
            found.say(
                "X014",
                spot(template, part.at, len(text) + 1),
                "`soql` writes the quotes itself, and here they stand already"
                if twice
                else "a quote in this value would end the text it stands in, and change the query",
                f"without the quotes around it, write {{{{ {text}{'' if twice else ' | soql'} }}}}",
                severity=Severity.WARNING,
            )


def _escapes(node: s.Syntax) -> bool:
    """Whether a value can stand between the quotes of a query."""
    match node:
        case s.Filtered("soql_like" | "soql_datetime" | "date" | "int" | "format_date"):
            return True
        case s.Constant():
            return True
    return False


def check_key(value: Value, place: Place, known: Known, found: Findings, *, item: str) -> None:
    """The key of a loop: as a text it would be the same for every item."""
    if not isinstance(value, str):
        return
    of_item = re.match(rf"{re.escape(item)}(?![\w-])", value) is not None
    if of_item or value == "index" or names_something(value, known):
        found.say(
            "X013",
            place,
            f"{value!r} is one text for all items, so they wait for each other",
            f'write: key: "{{{{ {value} }}}}"',
        )


def names_something(text: str, known: Known) -> bool:
    """Whether a text is the path of something that is there.

    >>> names_something("inputs.name", {"inputs": ["name"]})
    True
    >>> names_something("inputs.csv", {"inputs": ["name"]})
    False
    """
    path = _LIKE_A_PATH.fullmatch(text.strip())
    if path is None or path["first"] not in known:
        return False
    if (path["second"] or path["key"]) not in known[path["first"]]:
        return False
    return path["first"] != "steps" or path["third"] in _OF_A_STEP
