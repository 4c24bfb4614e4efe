"""A stand-in for Microsoft Partner Center: its token service, referrals and webhooks."""

from cosell_emulators.partner_center.emulator import PartnerCenterEmulator

__all__ = ["PartnerCenterEmulator"]
