"""Run the tests of flows: the other systems answer from a script, time is told, nothing is sent."""
