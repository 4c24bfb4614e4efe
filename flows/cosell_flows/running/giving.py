"""Give what a flow gives back: its outputs, typed as it says."""

from __future__ import annotations

import contextlib
from typing import Any

from cosell_definitions.model import Flow, Output

from ..compiling.expressions import ExpressionFailed, evaluate
from .inputs import conform
from .outcomes import StepFailed
from .scope import Frame
from .wording import as_failure


def outputs_of(flow: Flow, frame: Frame) -> dict[str, Any]:
    """The outputs of a flow that came to its end; raises StepFailed."""
    return {output.name: _given(output, frame) for output in flow.outputs}


def outputs_there_are(flow: Flow, frame: Frame) -> dict[str, Any]:
    """The outputs of a flow that was stopped early: those that can be given by then."""
    outputs = {}
    for output in flow.outputs:
        with contextlib.suppress(StepFailed):
            outputs[output.name] = _given(output, frame)
    return outputs


def _given(output: Output, frame: Frame) -> Any:
    try:
        value = evaluate(output.value, frame.scope())
        return conform(output.schema, value) if output.schema and value is not None else value
    except ExpressionFailed as error:
        raise as_failure(error).located(f"outputs.{output.name}", output.place) from error
    except ValueError as error:
        raise StepFailed(
            "expression", f"output {output.name!r}: {error}", place=output.place
        ) from error
