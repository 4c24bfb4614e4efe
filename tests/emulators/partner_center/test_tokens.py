"""The token service and what a token opens."""

from typing import Any

import pytest

V1_NUMBERS = ("expires_in", "ext_expires_in", "expires_on", "not_before")


def test_numbers_are_texts(world: Any) -> None:
    """The first version of the token service writes its numbers as texts."""
    answer = world.ask_token().json()

    assert all(isinstance(answer[name], str) and int(answer[name]) for name in V1_NUMBERS)


def test_token_lives_an_hour(world: Any) -> None:
    """A token opens the API until an emulated hour has passed."""
    statuses = []
    for seconds in (3500, 200):
        world.control("clock", advance_s=seconds)
        statuses.append(world.call("GET", "/referrals").status_code)

    assert statuses == [200, 401]


def test_reset_leaves_tokens_alone(world: Any) -> None:
    """A token from before a reset still opens the API."""
    world.control("reset", seed="empty")

    assert world.call("GET", "/referrals").status_code == 200


def test_token_of_the_other_audience_is_refused_by_referrals(world: Any) -> None:
    """A token for the webhook API does not open the Referrals API."""
    answer = world.call("GET", "/referrals", token=world.webhook_token)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


def test_token_of_the_other_audience_is_refused_by_webhooks(world: Any) -> None:
    """A token for the Referrals API does not open the webhook API."""
    headers = {"Authorization": f"Bearer {world.token}"}
    answer = world.http.get(f"{world.emulator.webhooks_url}/registration", headers=headers)

    assert (answer.status_code, set(answer.json())) == (
        401,
        {"code", "description", "data", "source"},
    )


def test_application_alone_may_use_webhooks(world: Any) -> None:
    """Client credentials are enough for the webhook API."""
    token = world.new_token(
        "https://api.partnercenter.microsoft.com", grant_type="client_credentials"
    )
    headers = {"Authorization": f"Bearer {token}"}
    answer = world.http.get(f"{world.emulator.webhooks_url}/registration/events", headers=headers)

    assert answer.status_code == 200


def test_application_alone_may_not_use_referrals(world: Any) -> None:
    """Client credentials are not enough for the Referrals API, which wants a user."""
    token = world.new_token("https://api.partner.microsoft.com", grant_type="client_credentials")
    answer = world.call("GET", "/referrals", token=token)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "accessDenied")


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, 400, "unauthorized_client", 700016),
        ({"refresh_token": "wrong"}, 400, "invalid_grant", 9002313),
        ({"refresh_token": None}, 400, "invalid_request", 900144),
        ({"grant_type": None}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "invalid_grant", 50076),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type", 70003),
        ({"resource": "https://graph.microsoft.com"}, 400, "invalid_resource", 500011),
        ({"resource": None}, 400, "invalid_request", 900144),
    ],
)
def test_refusals_have_entras_shape(
    world: Any, changes: dict[str, str | None], status: int, error: str, number: int
) -> None:
    """What is refused says why as Entra does, number and trace included."""
    answer = world.ask_token(**changes)
    body = answer.json()

    told = (answer.status_code, body["error"], body["error_codes"], "trace_id" in body)
    assert told == (status, error, [number], True)


def test_second_version_takes_scopes(world: Any) -> None:
    """The second version of the token service takes a scope and writes numbers as numbers."""
    form = {
        "grant_type": "refresh_token",
        "client_id": world.emulator.client_id,
        "client_secret": world.emulator.client_secret,
        "refresh_token": world.emulator.refresh_token,
        "scope": "https://api.partner.microsoft.com/user_impersonation offline_access",
    }
    answer = world.http.post(f"{world.root}/common/oauth2/v2.0/token", data=form).json()
    listed = world.call("GET", "/referrals", token=answer["access_token"])

    assert (answer["expires_in"], listed.status_code) == (3600, 200)


def test_refresh_tokens_rotate(world: Any) -> None:
    """Every redemption answers a new refresh token; the old one is left alone, as Entra does."""
    old = world.emulator.refresh_token
    new = world.ask_token().json()["refresh_token"]
    statuses = [world.ask_token(refresh_token=one).status_code for one in (old, new)]

    assert (new != old, statuses) == (True, [200, 200])


def test_old_refresh_tokens_may_end(world: Any) -> None:
    """A stricter service ends the old refresh token when it answers a new one."""
    old = world.emulator.refresh_token
    world.emulator.tokens.ends_old_ones = True
    try:
        new = world.ask_token().json()["refresh_token"]
    finally:
        world.emulator.tokens.ends_old_ones = False
    statuses = [world.ask_token(refresh_token=one).status_code for one in (old, new)]

    assert statuses == [400, 200]


def test_log_has_no_token(world: Any) -> None:
    """No secret of a token request can be read in the log."""
    world.ask_token()
    world.call("GET", "/referrals")
    log = world.http.get(f"{world.root}/__sandbox__/requests").text

    secrets = (world.emulator.client_secret, world.emulator.refresh_token, world.token)
    assert not any(secret in log for secret in secrets)
