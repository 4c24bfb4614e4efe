"""A stand-in for a Salesforce org: its token service, rows, queries and bulk jobs."""

from cosell_emulators.salesforce.emulator import SalesforceEmulator

__all__ = ["SalesforceEmulator"]
