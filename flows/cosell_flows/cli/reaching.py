"""Turn what another system said into the failure of a command."""

from __future__ import annotations

from cosell_connectors.errors import ConnectorError

from ..operating.probing import AWAY, cure, said
from .console import NO, UNREACHABLE, Failure


def failure_of(error: ConnectorError) -> Failure:
    """The failure of a command that needed the other side."""
    code = UNREACHABLE if error.error_class in AWAY else NO
    return Failure(f"{error.connection}: {said(error)}", hint=cure(error), code=code)
