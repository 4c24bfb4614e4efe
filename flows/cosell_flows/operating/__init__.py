"""Keep a project in working order: promote, examine, set up, upgrade. Nothing here runs a flow."""
