"""Run a flow: the interpreter, the effects it may have, and the engine that joins them."""
