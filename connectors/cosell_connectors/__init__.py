"""Whom we talk to: connector files, and the one client that speaks for all of them."""
