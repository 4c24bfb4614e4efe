"""What of Partner Center's side can be told: who may read referrals, and whom it calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .health import Check, failed, listed, ok, warning

EVENTS = (
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
)
_MEMBERSHIP = "https://partner.microsoft.com/dashboard"


def of_referrals(referrals: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    """The prerequisites that show in the referrals themselves; the rest is for a person to look up."""
    yield ok("partner_center.role", "referrals can be read: the user has a Referrals role")
    ours = [one for one in referrals if one.get("organizationName") != "Microsoft"]
    ids = sorted({str(one["mpnId"]) for one in ours if one.get("mpnId")})
    if ids:
        yield ok("partner_center.partner_id", f"partner id {listed(ids)}")
    else:
        page = f"{_MEMBERSHIP} > Settings > Account settings > Identifiers"
        said = "no referral shows a partner id yet; look whether you have one"
        yield warning("partner_center.partner_id", said, page)
    solutions = {
        str(solution.get("id"))
        for one in ours
        for solution in ((one.get("details") or {}).get("requirements") or {}).get("solutions")
        or ()
    }
    if solutions:
        yield ok("partner_center.solutions", f"solutions in use: {listed(sorted(solutions))}")
    else:
        said = "no referral has a solution yet; a co-sell needs one that is co-sell ready"
        page = f"{_MEMBERSHIP} > Marketplace offers > Co-sell tells which are"
        yield warning("partner_center.solutions", said, page)


def of_registration(registration: Mapping[str, Any] | None, *, ours: str | None) -> Iterator[Check]:
    """Whether Partner Center calls us for all four events. *ours*: the address we registered last."""
    name, again = "webhook", "cosell run webhook-registration -i http_trigger_endpoint="
    if registration is None:
        said = "nobody is registered: referrals come only with the catch-up, every 15 minutes"
        yield failed(name, said, f"{again}{ours or 'ADDRESS'}")
        return
    url = str(registration.get("WebhookUrl") or registration.get("webhookUrl") or "")
    events = registration.get("WebhookEvents") or registration.get("webhookEvents") or ()
    if ours is not None and url != ours:
        said = f"somebody else took the webhook over: Partner Center calls {url}, not {ours}"
        take = f"{again}{ours} -i overwrite_existing_trigger_endpoints=yes takes it back"
        yield failed(name, said, f"find out who registered it; {take}")
        return
    lacks = [one for one in EVENTS if one not in events]
    if lacks:
        yield failed(name, f"{url} is not called for {listed(lacks)}", f"{again}{url}")
    elif ours is None:
        said = f"Partner Center calls {url}; this project has not registered any address itself"
        yield warning(name, said, f"if that is not your receiver: {again}ADDRESS")
    else:
        yield ok(name, f"Partner Center calls {url} for all four events")
