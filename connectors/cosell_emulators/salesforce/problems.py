"""What Salesforce says when it refuses: one or several problems with a status.

https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

# Codes whose status is not the usual 400, whatever call they come from.
_STATUS = {
    "INVALID_SESSION_ID": HTTPStatus.UNAUTHORIZED,
    "REQUEST_LIMIT_EXCEEDED": HTTPStatus.FORBIDDEN,
    "INSUFFICIENT_ACCESS_OR_READONLY": HTTPStatus.FORBIDDEN,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": HTTPStatus.FORBIDDEN,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "ENTITY_IS_DELETED": HTTPStatus.NOT_FOUND,
    "METHOD_NOT_ALLOWED": HTTPStatus.METHOD_NOT_ALLOWED,
    "UNSUPPORTED_API_VERSION": HTTPStatus.GONE,
    "PRECONDITION_FAILED": HTTPStatus.PRECONDITION_FAILED,
    "UNSUPPORTED_MEDIA_TYPE": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason for a refusal; `fields` is left out of the answer when it is None."""

    code: str
    message: str
    fields: tuple[str, ...] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_rest(self) -> dict[str, Any]:
        """Show the problem as a row call does."""
        shown: dict[str, Any] = {"message": self.message, "errorCode": self.code, **self.more}
        return shown if self.fields is None else {**shown, "fields": list(self.fields)}

    def as_result(self) -> dict[str, Any]:
        """Show the problem as a collection's result does: the code is called statusCode there."""
        fields = list(self.fields or ())
        return {"statusCode": self.code, "message": self.message, "fields": fields, **self.more}


class Refusal(Exception):
    """Salesforce refuses."""

    def __init__(self, *problems: Problem, status: int | None = None) -> None:
        super().__init__(*problems)
        self.problems: Sequence[Problem] = problems
        self.status = int(status or _STATUS.get(problems[0].code, HTTPStatus.BAD_REQUEST))


class SeveralMatches(Exception):
    """A value of an external id fits more than one row."""

    def __init__(self, urls: Sequence[str]) -> None:
        super().__init__()
        self.urls = list(urls)


def refusal(
    code: str, message: str, *fields: str, bare: bool = False, status: int | None = None
) -> Refusal:
    """Make a refusal of one problem; *bare* leaves `fields` out."""
    return Refusal(Problem(code, message, None if bare else fields), status=status)


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """Refuse because nothing is at this address."""
    return refusal("NOT_FOUND", message, bare=True)
