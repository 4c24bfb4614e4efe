"""Guess from names how lists go on, what they hold, and what an error looks like. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .describing import Part

# Names under which answers of many systems carry the link to the next page, or its mark.
_LINKS = (
    "@odata.nextLink",
    "nextLink",
    "next_link",
    "nextUrl",
    "next_url",
    "nextRecordsUrl",
    "next",
)
_MARKS = ("nextPageToken", "next_page_token", "nextToken", "next_token", "nextCursor", "next_cursor",
          "next_offset", "nextOffset", "cursor")  # fmt: skip
_MARK_PARAMETERS = ("pageToken", "page_token", "nextToken", "next_token", "cursor", "after", "offset",
                    "starting_after", "startingAfter")  # fmt: skip
_PAGES = ("page", "pageNumber", "page_number", "$page", "pageIndex")
_OFFSETS = ("offset", "skip", "$skip", "start", "startAt")
_MOST_NAMES = 8
_WRAPPERS = ("paging", "pagination", "meta", "links", "_links", "page", "response_metadata")
_CODES = ("code", "errorCode", "error_code", "type", "status", "error")
_MESSAGES = ("message", "error_description", "errorMessage", "error_message", "detail", "title",
             "description")  # fmt: skip


def output_of(schema: Part) -> dict[str, dict[str, str]]:
    """Names for what an answer with a list holds; nothing where the answer is best taken whole."""
    properties = schema.properties()
    # More names than that are a record with lists in it, not a list of records.
    if _list_in(schema) is None or len(properties) > _MOST_NAMES:
        return {}
    named: dict[str, dict[str, str]] = {}
    for name in properties:
        plain = name.lstrip("@$_").replace(".", "_").replace("-", "_")
        if plain.isidentifier():
            named[plain] = {"value": f"/{_escaped(name)}"}
    return named


def list_comments(schema: Part, queries: Sequence[str]) -> Iterator[str]:
    """A paging that fits the names, as a comment: somebody who knows the system uncomments it."""
    items = "" if schema.at("type").text == "array" else _list_in(schema)
    if items is None or len(schema.properties()) > _MOST_NAMES:
        return
    way = _way(schema, queries)
    if way is not None:
        yield "Guessed from the names; where it is right, take the # away and write `items` for the list:"
        yield f'paging: {{ items: "{items}", {way} }}'


def errors_of(root: Part) -> dict[str, list[str]]:
    """Where answers that did not go well keep code and message, by the names they have."""
    codes: dict[str, None] = {}
    messages: dict[str, None] = {}
    for schema in _failures(root):
        for at, properties in _levels(schema):
            nested = {name for name, one in properties.items() if one.properties()}
            codes |= dict.fromkeys(
                f"{at}/{one}" for one in _CODES if one in set(properties) - nested
            )
            messages |= dict.fromkeys(
                f"{at}/{one}" for one in _MESSAGES if one in set(properties) - nested
            )
    found = {"code": list(codes)[:4], "message": list(messages)[:4]}
    return {name: pointers for name, pointers in found.items() if pointers}


def _way(schema: Part, queries: Sequence[str]) -> str | None:
    if "@odata.context" in schema.properties():
        return 'next: "/@odata.nextLink"'  # OData has it, whether or not the file says so
    for at, properties in _levels(schema, _WRAPPERS):
        link = next((one for one in _LINKS if _is_text(properties.get(one))), None)
        if link is not None:
            return f'next: "{at}/{_escaped(link)}"'
    for at, properties in _levels(schema, _WRAPPERS):
        mark = next((one for one in _MARKS if one in properties), None)
        parameter = next((one for one in _MARK_PARAMETERS if one in queries), None)
        if mark is not None and parameter is not None:
            return f'cursor: {{ at: "{at}/{_escaped(mark)}", parameter: "{parameter}" }}'
    for names, by in ((_PAGES, "page"), (_OFFSETS, "items")):
        parameter = next((one for one in names if one in queries), None)
        if parameter is not None:
            return f'count: {{ parameter: "{parameter}", by: {by} }}'
    return None


def _levels(
    schema: Part, inner: Sequence[str] = ("error", "errors")
) -> Iterator[tuple[str, Mapping[str, Part]]]:
    """The properties of an object, and of the objects in it that wrap what is looked for."""
    properties = schema.properties()
    yield "", properties
    for name in inner:
        if name in properties:
            one = properties[name]
            is_list = one.at("type").text == "array"
            inside = (one.at("items") if is_list else one).properties()
            if inside:
                yield f"/{name}/0" if is_list else f"/{name}", inside


def _list_in(schema: Part) -> str | None:
    """Where the one list of an answer is."""
    lists = [name for name, one in schema.properties().items() if one.at("type").text == "array"]
    return f"/{_escaped(lists[0])}" if lists else None


def _failures(root: Part) -> Iterator[Part]:
    seen = 0
    for _, _, item in root.at("paths").entries():
        for _, _, operation in item.entries():
            for status, _, response in operation.at("responses").entries():
                if status == "default" or status[:1] in {"4", "5"}:
                    contents = [media for _, _, media in response.at("content").entries()]
                    for one in contents or [response]:
                        yield one.at("schema")
                        seen += 1
                if seen > 50:  # an API says the same everywhere
                    return


def _is_text(schema: Part | None) -> bool:
    return (
        schema is not None and schema.at("type").text in {"string", ""} and not schema.properties()
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
