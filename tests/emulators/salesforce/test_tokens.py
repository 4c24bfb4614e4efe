"""The token service."""

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TOKEN = "/services/oauth2/token"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def client(org):
    return {"client_id": org.emulator.client_id, "client_secret": org.emulator.client_secret}


def asked(org, **form):
    return org.http.post(TOKEN, data=form, headers={"Authorization": ""})


def assertion(key_pem, **claims):
    def packed(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    key = serialization.load_pem_private_key(key_pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    head = packed({"alg": "RS256"}) + b"." + packed(claims)
    signature = key.sign(head, padding.PKCS1v15(), hashes.SHA256())
    return (head + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def claims(org, **more):
    usual = {
        "iss": org.emulator.client_id,
        "sub": org.emulator.username,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
    }
    return {**usual, **more}


def test_client_credentials_begin_a_session_at_the_orgs_address(org):
    """A token answer has the documented keys as texts, and says no end of life."""
    body = asked(org, grant_type="client_credentials", **client(org)).json()
    names = {name for name, value in body.items() if isinstance(value, str)}

    assert names == {
        "access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at",
        "api_instance_url",
    }  # fmt: skip


def test_client_credentials_may_come_as_basic(org):
    """A client may name itself in the Authorization header."""
    pair = (org.emulator.client_id, org.emulator.client_secret)
    reply = org.http.post(TOKEN, data={"grant_type": "client_credentials"}, auth=pair)

    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused_as_an_object(org, changes, error):
    """A refusal of the token service is one object with error and description."""
    reply = asked(org, **{"grant_type": "client_credentials", **client(org), **changes})

    assert (reply.status_code, reply.json()["error"]) == (400, error)


def test_refresh_token_is_kept_by_default(org):
    """A refresh answers no new refresh token unless the app rotates them."""
    form = {"grant_type": "refresh_token", "refresh_token": org.emulator.refresh_token}

    assert "refresh_token" not in asked(org, **form, **client(org)).json()


def test_rotated_refresh_token_is_good_once(org):
    """With rotation on, a refresh token that was used is refused."""
    org.control("org", rotating_refresh_tokens=True)
    form = {"grant_type": "refresh_token", "refresh_token": org.emulator.refresh_token}
    asked(org, **form, **client(org))

    assert asked(org, **form, **client(org)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "more",
    [
        dict,
        lambda: {"exp": str(int(time.time()) + 120)},
        lambda: {"exp": int(time.time() * 1000) + 120_000},
        lambda: {"aud": "http://org.example/"},
    ],
)
def test_jwt_is_taken_as_real_clients_write_it(org, more):
    """Expiry may be a text or milliseconds, the audience the org with a slash."""
    signed = assertion(org.emulator.jwt_private_key_pem, **claims(org, **more()))

    assert asked(org, grant_type=JWT, assertion=signed).status_code == 200


@pytest.mark.parametrize(
    "more",
    [{"exp": 1}, {"aud": "https://example.com"}, {"iss": "x"}, {"sub": "nobody@example.com"}],
)
def test_jwt_with_a_wrong_claim_is_refused(org, more):
    """Every claim is looked at."""
    signed = assertion(org.emulator.jwt_private_key_pem, **claims(org, **more))

    assert asked(org, grant_type=JWT, assertion=signed).status_code == 400


def test_jwt_signed_by_another_key_is_refused(org):
    """The signature is looked at."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signed = assertion(key, **claims(org))

    assert asked(org, grant_type=JWT, assertion=signed).json()["error"] == "invalid_grant"


def test_session_ends_after_two_idle_hours(org):
    """A session nobody used for more than two hours of the emulated clock is gone."""
    org.control("clock", advance_s=7201)

    assert org.code(org.call("GET", "/limits")) == (401, "INVALID_SESSION_ID")


def test_every_call_starts_the_two_hours_anew(org):
    """A session lives on as long as it is used."""
    org.control("clock", advance_s=7000)
    org.call("GET", "/limits")
    org.control("clock", advance_s=7000)

    assert org.call("GET", "/limits").status_code == 200


def test_session_outlives_a_reset(org):
    """A reset leaves tokens alone."""
    org.control("reset", seed="demo")

    assert org.call("GET", "/limits").status_code == 200


def test_old_scheme_is_still_taken(org):
    """Streaming clients write OAuth where others write Bearer."""
    token = org.http.headers["Authorization"].partition(" ")[2]
    reply = org.call("GET", "/limits", headers={"Authorization": f"OAuth {token}"})

    assert reply.status_code == 200


def test_sellers_password_gives_the_sellers_identity(org):
    """A row written with a seller's token was written by the seller."""
    form = {"username": "sara.seller@cosell.example.com", "password": "sandbox"}
    token = asked(org, grant_type="password", **form, **client(org)).json()["access_token"]
    org.http.headers["Authorization"] = f"Bearer {token}"
    key = org.deal()
    [found] = org.query(f"SELECT LastModifiedBy.Username FROM Opportunity WHERE Id = '{key}'")

    assert found["LastModifiedBy"]["Username"] == form["username"]


def test_userinfo_names_the_user(org):
    """The userinfo call names who holds the token."""
    body = org.http.get("/services/oauth2/userinfo").json()

    assert body["preferred_username"] == org.emulator.username


def test_identity_document_is_where_the_token_says(org):
    """The id of a token answer can be read."""
    where = asked(org, grant_type="client_credentials", **client(org)).json()["id"]

    assert org.http.get(where).json()["username"] == org.emulator.username
