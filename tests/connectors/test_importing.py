"""Make the first draft of a connector from an OpenAPI file."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosell_connectors.importing import Imported, imported
from cosell_connectors.model import Connector
from cosell_connectors.parsing import parse

FILES = Path(__file__).with_name("openapi")
SWAGGER = Path(__file__).parents[3] / "shared/samples/partner-center/connector.swagger.json"
NAMES = ["library.yaml", "invoices.yaml", "weather.json"]


def draft(name: str) -> Imported:
    made, problems = imported((FILES / name).read_bytes(), file=name)
    assert problems == ()
    assert made is not None
    return made


def connector(made: Imported) -> Connector:
    found, problems = parse(made.text, file=f"connectors/{made.name}/connector.yaml")
    assert problems == ()
    assert found is not None
    return found


def complaints(text: str, file: str = "api.yaml") -> list[tuple[str, int, int]]:
    made, problems = imported(text.encode(), file=file)
    assert made is None
    return [(one.code, one.place.line, one.place.column) for one in problems]


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_has_no_problem(name: str) -> None:
    """What is made passes the check as it is."""
    assert connector(draft(name)).operations


@pytest.mark.parametrize("name", NAMES)
def test_a_guess_can_be_taken_at_its_word(name: str) -> None:
    """With the # before a guessed paging taken away, the draft still passes the check."""
    made = draft(name)
    text = re.sub(r"^    # (paging: .*)$", r"    \1", made.text, flags=re.MULTILINE)

    assert text != made.text
    assert parse(text, file=f"connectors/{made.name}/connector.yaml")[1] == ()


def test_operations_are_named_for_what_they_do() -> None:
    """By operationId in small letters, or by method and path; twice the same gets a number."""
    assert [list(connector(draft(name)).operations) for name in NAMES] == [
        ["list_books", "add_book", "get_books_book_id", "remove_book", "change_loan"],
        ["invoices_list", "invoices_create", "invoices_list_2"],
        ["get_now_units_c", "stations_all"],
    ]


def test_parameters_keep_their_place_type_and_wire_name() -> None:
    """Those of the path too, also where they are a reference."""
    books = connector(draft("library.yaml")).operations["list_books"]

    assert [(one.name, one.location, one.wire_name, one.type) for one in books.parameters] == [
        ("x_trace_id", "header", "X-Trace-Id", "text"),
        ("page_token", "query", "pageToken", "text"),
        ("author", "query", "author", "text"),
        ("tags", "query", "tags", "array"),
        ("published_after", "query", "published-after", "date"),
        ("limit", "query", "limit", "integer"),
    ]
    assert books.parameter("limit") is not None
    assert (books.parameters[-1].default, books.parameters[-1].required) == (20, False)


def test_places_in_a_path_have_our_names() -> None:
    """A hyphen in a place becomes an underscore, there and in the parameter."""
    one = connector(draft("library.yaml")).operations["get_books_book_id"]

    assert (one.path, one.parameters[0].name, one.parameters[0].type) == (
        "/books/{book_id}",
        "book_id",
        "uuid",
    )


def test_only_what_http_lets_repeat_may_be_repeated() -> None:
    """A draft errs on the side that doubles nothing; each guess says so."""
    made = draft("library.yaml")
    writes = {
        name: one.idempotent
        for name, one in connector(made).operations.items()
        if one.effect == "write"
    }

    assert writes == {"add_book": False, "remove_book": True, "change_loan": False}
    assert made.text.count("# guessed from the method") == 3


def test_what_an_answer_holds_is_named() -> None:
    """An answer with a list gives out its parts; a record is taken whole."""
    operations = connector(draft("library.yaml")).operations

    listed = {one.name: one.pointer for one in operations["list_books"].output}
    assert listed == {"books": "/books", "nextPageToken": "/nextPageToken"}
    assert operations["get_books_book_id"].output == ()


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("library.yaml", 'cursor: { at: "/nextPageToken", parameter: "pageToken" }'),
        ("invoices.yaml", 'count: { parameter: "page", by: page }'),
        ("weather.json", 'next: "/links/next"'),
    ],
)
def test_paging_is_guessed_from_names(name: str, guess: str) -> None:
    """As a comment: somebody who knows the system takes the # away."""
    assert f", {guess} }}" in draft(name).text


@pytest.mark.parametrize(
    ("name", "auth", "code", "message"),
    [
        ("library.yaml", "client_credentials", ("/error/code",), ("/error/message",)),
        ("invoices.yaml", "api_key", ("/errors/0/code",), ("/errors/0/detail",)),
        ("weather.json", "bearer", (), ()),
    ],
)
def test_signing_in_and_errors_are_taken_over(
    name: str, auth: str, code: tuple[str, ...], message: tuple[str, ...]
) -> None:
    """As far as the file tells."""
    made = connector(draft(name))

    assert ([one.type for one in made.auth], made.errors.code, made.errors.message) == (
        [auth],
        code,
        message,
    )


def test_addresses_are_taken_over() -> None:
    """https where there is a choice; an address with holes is each connection's own."""
    assert [connector(draft(name)).base_url for name in NAMES] == [
        "https://library.example/api/v2",
        "https://invoices.example/v1",
        None,
    ]


def test_what_cannot_be_called_is_left_out_with_its_reason() -> None:
    """Forms and pictures are not JSON."""
    assert [draft(name).left_out for name in NAMES] == [
        (
            "OPTIONS /books/{book-id}: a method that is never needed here",
            "PUT /books/{bookId}/cover: its body is image/png, and connectors send JSON",
        ),
        ("POST /invoices/{number}/pdf: its body is a form, and connectors send JSON",),
        (),
    ]


def test_microsofts_own_definition_can_be_imported() -> None:
    """All seven operations of the referrals connector, and OData's way of paging."""
    if not SWAGGER.exists():
        pytest.skip("the vendor's samples are not here")
    made, problems = imported(SWAGGER.read_bytes(), file=SWAGGER.name, name="referrals")

    assert (problems, made is not None and made.operations) == ((), 7)
    assert made is not None
    assert 'paging: { items: "/value", next: "/@odata.nextLink" }' in made.text
    paths = [one.path for one in connector(made).operations.values()]
    assert paths[-2:] == ["/referrals/{id}/", "/referrals/{id}//"]


REFERENCE = """\
openapi: 3.0.0
info: { title: X }
paths:
  /a:
    get:
      parameters:
        - $ref: "#/components/parameters/Pgae"
      responses: {}
components:
  parameters:
    Page: { name: page, in: query }
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("Y007", 1, 1)]),
        ("[1, 2]", [("C030", 1, 1)]),
        ("title: X\n", [("C030", 1, 1)]),
        ('swagger: "1.2"\npaths: {}\n', [("C030", 1, 10)]),
        ("openapi: 3.0.0\ninfo: { title: X }\n", [("C032", 1, 1)]),
        (REFERENCE, [("C031", 7, 17)]),
        (REFERENCE.replace("#/components/parameters/Pgae", "other.yaml#/a"), [("C031", 7, 17)]),
        ("openapi: 3.0.0\npaths:\n  /a: { options: {} }\n", [("C032", 3, 3)]),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_in_its_place(
    text: str, expected: list[tuple[str, int, int]]
) -> None:
    """Line and column of what is wrong."""
    assert complaints(text) == expected


def test_a_reference_that_leads_nowhere_is_mended_by_its_hint() -> None:
    """The nearest name there is."""
    _, problems = imported(REFERENCE.encode(), file="api.yaml")

    assert (problems[0].message, problems[0].hint) == (
        "the reference '#/components/parameters/Pgae' leads nowhere: there is no 'Pgae'",
        "did you mean 'Page'?",
    )


@pytest.mark.parametrize("text", ['{"openapi": "3.0.0", "paths": {', "openapi: 3.0.0\n\tpaths: x"])
def test_a_broken_file_is_told_as_any_other(text: str) -> None:
    """What is no JSON and no YAML has its place too."""
    assert [one[0][0] for one in complaints(text)][:1] == ["Y"]


def test_a_schema_that_holds_itself_ends() -> None:
    """Trees and lists of themselves are not followed for ever."""
    text = REFERENCE.replace("#/components/parameters/Pgae", "#/components/parameters/Page")
    schema = "{ $ref: '#/components/schemas/A' }"
    answer = f"{{ '200': {{ content: {{ application/json: {{ schema: {schema} }} }} }} }}"
    text = text.replace("responses: {}", f"responses: {answer}")
    text += f"  schemas:\n    A: {schema.replace('A', 'B')}\n    B: {schema}\n"

    made, problems = imported(text.encode(), file="api.yaml")

    assert (made is not None, problems) == (True, ())


def _spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for name, one in inner if isinstance(value, dict | list) else ():
        found += _spots(one, (*path, name)) if isinstance(one, dict | list) else [(*path, name)]
    return found


LIBRARY: dict[str, Any] = json.loads((FILES / "weather.json").read_text())
SPOTS = _spots(LIBRARY)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SPOTS),
    st.one_of(
        st.none(),
        st.booleans(),
        st.text(max_size=12),
        st.lists(st.text(max_size=5), max_size=2),
        st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=2),
    ),
)
def test_whatever_stands_anywhere_is_imported_or_told(spot: tuple[Any, ...], value: Any) -> None:
    """A file that is wrong in any place makes a draft that passes the check, or problems."""
    changed = copy.deepcopy(LIBRARY)
    parent: Any = changed
    for name in spot[:-1]:
        parent = parent[name]
    parent[spot[-1]] = value

    made, problems = imported(json.dumps(changed).encode(), file="api.json")

    if made is None:
        assert problems
    else:
        assert parse(made.text, file=f"connectors/{made.name}/connector.yaml")[1] == ()


def test_a_file_may_be_larger_than_a_definition() -> None:
    """What large systems publish is more than a megabyte; what is made of it is not."""
    long = {"description": "x" * 1_500_000}
    paths = {"/things": {"get": {"operationId": "things", "responses": {"200": long}}}}
    file = {"openapi": "3.0.3", "info": {"title": "Large", "version": "1"}, "paths": paths}

    made, problems = imported(json.dumps(file).encode(), file="large.json")

    assert (made and made.operations, problems) == (1, ())
