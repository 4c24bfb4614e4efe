"""Serve a project: receive webhooks, dispatch them, run what is due, take up what was lost."""
