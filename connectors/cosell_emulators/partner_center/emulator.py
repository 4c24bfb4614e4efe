"""Partner Center as a whole: one address, behind it the parts that answer."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cosell_emulators.clock import Clock
from cosell_emulators.partner_center import deliveries, seeding, signing
from cosell_emulators.partner_center.deliveries import CERTIFICATE_PATH, Courier
from cosell_emulators.partner_center.microsoft import Microsoft
from cosell_emulators.partner_center.problems import Refusal, not_found
from cosell_emulators.partner_center.referral_api import ReferralApi
from cosell_emulators.partner_center.referrals import Referrals
from cosell_emulators.partner_center.registrations import Registrations
from cosell_emulators.partner_center.tokens import TENANT, Tokens

Control = Callable[[dict[str, Any]], Awaitable[Any]]

_TOKEN = re.compile(r"/([^/]+)/oauth2(/v2\.0)?/token/?", re.IGNORECASE)
# Events name a referral at an address of the other host, not at the Referrals API.
# https://learn.microsoft.com/en-us/partner-center/developer/partner-center-webhook-events
_RESOURCE = "https://api.partnercenter.microsoft.com/engagements/v1/referrals"


class PartnerCenterEmulator:
    """A stand-in for Partner Center; the stage serves it."""

    def __init__(
        self,
        base_url: str | Callable[[], str],
        clock: Clock | None = None,
        seed: str = "demo",
    ) -> None:
        self._base_url = base_url
        self.clock = clock or Clock()
        self.clock.on_move(self._clock_moved)
        self.tokens = Tokens(clock=self.clock)
        self.courier = Courier(base_url=self._root, signer=signing.signer)
        self.referrals = Referrals(base_url=self._root, clock=self.clock, announce=self._announce)
        self.microsoft = Microsoft(referrals=self.referrals, announce=self._announce)
        self._registrations = Registrations(
            clock=self.clock, tokens=self.tokens, courier=self.courier
        )
        self.api = ReferralApi(
            base_url=self._root, clock=self.clock, tokens=self.tokens, referrals=self.referrals
        )
        self.reset(seed)

    @property
    def client_id(self) -> str:
        """Give the registered application's identifier."""
        return self.tokens.client_id

    @property
    def client_secret(self) -> str:
        """Give the registered application's secret."""
        return self.tokens.client_secret

    @property
    def refresh_token(self) -> str:
        """Give the refresh token that is redeemable now."""
        return self.tokens.refresh_token

    @property
    def url(self) -> str:
        """Give the base of the Referrals API."""
        return f"{self._root()}/v1.0/engagements"

    @property
    def webhooks_url(self) -> str:
        """Give the base of the webhook registration API."""
        return f"{self._root()}/webhooks/v1"

    @property
    def token_url(self) -> str:
        """Give the token endpoint of the partner's tenant."""
        return f"{self._root()}/{TENANT}/oauth2/token"

    @property
    def ca_pem(self) -> bytes:
        """Give the certificate of the authority behind the signatures."""
        return signing.signer().ca_pem

    @property
    def controls(self) -> Mapping[str, Control]:
        """Give the control calls only Partner Center has."""
        return {"microsoft": self._act, "webhooks": self._set_modes}

    @property
    def views(self) -> Mapping[str, Callable[[], Any]]:
        """Give what may be looked at besides."""
        return {"deliveries": self.courier.show}

    def reset(self, seed: str) -> None:
        """Start over with a seed; issued tokens stay valid."""
        self.courier.reset()
        self._registrations.reset()
        self.microsoft.reset()
        self.referrals.clear()
        if seed == "demo":
            seeding.plant(self.referrals)

    async def start(self) -> None:
        """Make the signing keys before the first event needs them."""
        signing.signer()

    async def stop(self) -> None:
        """Stop delivering."""
        await self.courier.stop()

    async def handle(self, request: Request) -> Response:
        """Answer a request as Partner Center would."""
        self.referrals.lapse()
        try:
            return await self._answer(request)
        except Refusal as refusal:
            return refusal.response()
        finally:
            self.courier.flush()

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if found := _TOKEN.fullmatch(path):
            version = 2 if found[2] else 1
            return await self.tokens.handle(request, tenant=found[1], version=version)
        if path == CERTIFICATE_PATH and request.method == "GET":
            certificate = signing.signer().certificate
            return Response(certificate, media_type="application/x-x509-ca-cert")
        lower = path.lower()
        if lower.startswith("/v1.0/engagements/"):
            return await self.api.handle(request, path[len("/v1.0/engagements") :])
        if lower == "/v1.0/referrals" and request.method == "GET":
            # Where next links lead, which leave /engagements out (see listing.py).
            return await self.api.handle(request, "/referrals")
        if lower.startswith("/webhooks/v1/"):
            return await self._registrations.handle(request, path[len("/webhooks/v1") :])
        raise not_found("resource")

    async def _act(self, body: dict[str, Any]) -> dict[str, Any]:
        self.referrals.lapse()
        try:
            return self.microsoft.act(body)
        finally:
            self.courier.flush()

    async def _set_modes(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.courier.set_modes(body)

    def _announce(self, name: str, referral_id: str, at: int) -> None:
        uri = f"{_RESOURCE}/{referral_id}"
        self.courier.post(deliveries.event(name, uri, resource="referral", at=at))

    def _clock_moved(self) -> None:
        self.referrals.lapse()
        self.courier.flush()

    def _root(self) -> str:
        base_url = self._base_url if isinstance(self._base_url, str) else self._base_url()
        return base_url.rstrip("/")
