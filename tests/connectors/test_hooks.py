"""Tell a true webhook from a false one; with an authority and keys of our own."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)

from cosell_connectors import hooks
from cosell_connectors.certificates import CertificateStore, Doorkeeper
from cosell_connectors.errors import ConnectorError
from cosell_connectors.hooks import Allowed, Refused, Trust
from cosell_connectors.model import Connector, Webhook
from cosell_env.connections import Connection

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CERTIFICATE_URL = "https://3psostorageacct.blob.core.windows.net/cert/dispatch.cer"
ISSUER_URL = "http://www.microsoft.com/pkiops/certs/issuing.crt"
BODY = json.dumps(
    {
        "EventName": "referral-updated",
        "ResourceUri": "https://api.partnercenter.microsoft.com/engagements/v1/referrals/c5fbb3b6",
        "ResourceName": "referral",
        "AuditUri": None,
        "ResourceChangeUtcDate": "2018-02-17T00:05:39.5485487+00:00",
    },
    separators=(",", ":"),
).encode()


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name; making them is slow."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Paper:
    """A certificate to be made."""

    subject: str = "dispatch"
    issuer: str = "authority"
    organisation: str = "Microsoft Corporation"
    ca: bool = False
    purposes: tuple[ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH,)
    begins: datetime = NOW - timedelta(days=1)
    ends: datetime = NOW + timedelta(days=1)
    published: str | None = None

    def sign(self) -> x509.Certificate:
        """Make it."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._name(self.subject))
            .issuer_name(self._name(self.issuer))
            .public_key(key(self.subject).public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
            .add_extension(x509.BasicConstraints(ca=self.ca, path_length=None), critical=True)
        )
        if self.purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(self.purposes), critical=False)
        if self.published:
            place = x509.UniformResourceIdentifier(self.published)
            access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
            builder = builder.add_extension(
                x509.AuthorityInformationAccess([access]), critical=False
            )
        return builder.sign(key(self.issuer), SHA256())

    def _name(self, common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )


@cache
def authority(organisation: str = "Microsoft Corporation") -> x509.Certificate:
    """The root that tests trust."""
    return Paper(subject="authority", organisation=organisation, ca=True, purposes=()).sign()


def der(certificate: x509.Certificate) -> bytes:
    """A certificate as it is published."""
    return certificate.public_bytes(Encoding.DER)


def headers_for(
    body: bytes, *, algorithm: str = "rsa-sha256", digest: HashAlgorithm | None = None
) -> dict[str, str]:
    """The headers of a delivery of *body*."""
    signature = key("dispatch").sign(body, padding.PKCS1v15(), digest or SHA256())
    return {
        "Authorization": "Signature " + base64.b64encode(signature).decode(),
        "X-MS-Certificate-Url": CERTIFICATE_URL,
        "X-MS-Signature-Algorithm": algorithm,
    }


@pytest.fixture
def webhook(events: Connector) -> Webhook:
    assert events.webhook is not None
    return events.webhook


@pytest.fixture
def trust(webhook: Webhook) -> Trust:
    return Trust((authority(),), webhook.issuer)


def verify(
    webhook: Webhook,
    trust: Trust,
    *,
    body: bytes = BODY,
    headers: dict[str, str] | None = None,
    chain: tuple[x509.Certificate, ...] | None = None,
    now: datetime = NOW,
) -> bool:
    """Take the whole way from headers to a verdict: True, or Refused is raised."""
    claimed = hooks.claim(webhook, headers or headers_for(body))
    hooks.verify(claimed, body, chain or (Paper().sign(),), trust=trust, now=now)
    return True


def test_a_true_webhook_is_let_in(webhook: Webhook, trust: Trust) -> None:
    """A body signed with a trusted certificate passes, and its event is read."""
    verify(webhook, trust)

    assert hooks.event(webhook, BODY).resource_id == "c5fbb3b6"


def without(name: str) -> dict[str, str]:
    """The headers of a delivery, but for one."""
    headers = headers_for(BODY)
    del headers[name]
    return headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (without("Authorization"), 401),
        (headers_for(BODY) | {"Authorization": "Bearer abc"}, 401),
        (headers_for(BODY) | {"Authorization": "Signature"}, 401),
        (without("X-MS-Certificate-Url"), 400),
        (without("X-MS-Signature-Algorithm"), 400),
        (headers_for(BODY, algorithm="rsa-sha1"), 401),
        (headers_for(BODY, algorithm="hmac-sha256"), 401),
        (headers_for(BODY) | {"Authorization": "Signature n0t base64!"}, 401),
    ],
)
def test_each_missing_part_has_its_answer(
    webhook: Webhook, headers: dict[str, str], status: int
) -> None:
    """401 without a signature, 400 without address or algorithm, 401 for what is not allowed."""
    with pytest.raises(Refused) as caught:
        hooks.claim(webhook, headers)

    assert caught.value.status == status


def test_a_missing_signature_is_told_first(webhook: Webhook) -> None:
    """A request with no header at all is answered 401, not 400."""
    with pytest.raises(Refused) as caught:
        hooks.claim(webhook, {})

    assert caught.value.reason == "no_signature"


def test_the_signature_may_come_in_the_other_header(webhook: Webhook, trust: Trust) -> None:
    """x-ms-signature does where the Authorization header is taken by somebody else."""
    headers = headers_for(BODY)
    headers["x-ms-signature"] = headers.pop("Authorization")
    headers["authorization"] = "Bearer of the proxy"

    assert verify(webhook, trust, headers=headers)


@pytest.mark.parametrize("digest", [SHA256(), SHA384(), SHA512()])
def test_three_hashes_are_good_enough(
    webhook: Webhook, trust: Trust, digest: HashAlgorithm
) -> None:
    """SHA-256, 384 and 512 are taken, whatever the case they are written in."""
    algorithm = f"RSA-{digest.name.upper()}"

    assert verify(webhook, trust, headers=headers_for(BODY, algorithm=algorithm, digest=digest))


def test_a_changed_body_is_refused(webhook: Webhook, trust: Trust) -> None:
    """One space more, and the signature does not fit."""
    with pytest.raises(Refused) as caught:
        verify(webhook, trust, body=BODY + b" ", headers=headers_for(BODY))

    assert (caught.value.reason, caught.value.status) == ("bad_signature", 401)


def test_a_lesser_hash_does_not_pass_for_a_better_one(webhook: Webhook, trust: Trust) -> None:
    """A signature over SHA-1 is none over SHA-256."""
    with pytest.raises(Refused):
        verify(webhook, trust, headers=headers_for(BODY, digest=SHA1()))


def test_a_byte_order_mark_may_have_been_lost(webhook: Webhook, trust: Trust) -> None:
    """A body signed without its mark, as Microsoft's sample computes it, is let in."""
    assert verify(webhook, trust, body=b"\xef\xbb\xbf" + BODY, headers=headers_for(BODY))


@pytest.mark.parametrize(
    "paper",
    [
        Paper(issuer="dispatch"),
        Paper(ends=NOW - timedelta(hours=1)),
        Paper(begins=NOW + timedelta(hours=1)),
        Paper(organisation="Contoso"),
        Paper(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)),
        Paper(purposes=()),
    ],
    ids=["self-signed", "lapsed", "not yet valid", "issuer", "purpose", "no purpose"],
)
def test_a_certificate_that_is_not_good_is_refused(
    webhook: Webhook, trust: Trust, paper: Paper
) -> None:
    """The chain, the dates, the issuer and the purpose all have to be right."""
    with pytest.raises(Refused) as caught:
        verify(webhook, trust, chain=(paper.sign(),))

    assert (caught.value.reason, caught.value.status) == ("bad_certificate", 401)


def test_whoever_has_a_certificate_may_not_issue_one(webhook: Webhook, trust: Trust) -> None:
    """A certificate that is no authority cannot stand between the signer and a root."""
    middle = Paper(subject="middle").sign()
    leaf = Paper(issuer="middle").sign()

    with pytest.raises(Refused):
        verify(webhook, trust, chain=(leaf, middle))


def test_the_printed_delivery_is_read(webhook: Webhook) -> None:
    """Microsoft's own example has headers we understand, and a body that names its event."""
    path = Path(__file__).parents[3] / "shared/samples/partner-center"
    path /= "webhook.delivery.test-created.http.json"
    if not path.exists():
        pytest.skip("the vendor's samples are not here")
    sample = json.loads(path.read_text())

    claimed = hooks.claim(webhook, sample["headers"])

    assert len(claimed.signature) == 256


def altered(**changes: object) -> bytes:
    """The body with some values changed."""
    return json.dumps({**json.loads(BODY), **changes}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"[" * 100_000,
        altered(EventName=None),
        altered(EventName=7),
        altered(ResourceUri=""),
        altered(ResourceUri="https://api.partnercenter.microsoft.com/"),
        altered(ResourceChangeUtcDate="yesterday"),
    ],
)
def test_a_body_that_tells_no_event_is_answered_400(webhook: Webhook, body: bytes) -> None:
    """What is signed and still makes no sense is the sender's mistake."""
    with pytest.raises(Refused) as caught:
        hooks.event(webhook, body)

    assert caught.value.status == 400


def test_names_may_begin_with_a_small_letter(webhook: Webhook) -> None:
    """The guide writes EventName, the reference eventName; both are read."""
    body = json.dumps({k[0].lower() + k[1:]: v for k, v in json.loads(BODY).items()}).encode()

    assert hooks.event(webhook, body).name == "referral-updated"


def test_the_same_event_has_the_same_key(webhook: Webhook) -> None:
    """A second delivery is known by its name, record and moment, not by its bytes."""
    again = json.dumps(json.loads(BODY), indent=2).encode()

    assert hooks.event(webhook, again).dedupe_key == hooks.event(webhook, BODY).dedupe_key


@pytest.mark.parametrize(
    "change",
    [
        {"EventName": "referral-created"},
        {"ResourceUri": "https://x/referrals/other"},
        {"ResourceChangeUtcDate": "2018-02-17T00:05:39.5485488+00:00"},
    ],
)
def test_another_event_has_another_key(webhook: Webhook, change: dict[str, str]) -> None:
    """A change a tenth of a microsecond later is another change."""
    assert (
        hooks.event(webhook, altered(**change)).dedupe_key != hooks.event(webhook, BODY).dedupe_key
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://certs.example/a.cer",
        "https://CERTS.example:443/a.cer",
        "https://odd.example:8443/a.cer",
        "http://127.0.0.1:9000/a.cer",
        "http://[::1]:9000/a.cer",
    ],
)
def test_an_allowed_address_is_fetched(url: str) -> None:
    """Hosts count with their port; loopback may be plain http and any port."""
    Allowed(("certs.example", "odd.example:8443", "127.0.0.1", "::1")).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://certs.example/a.cer",
        "https://certs.example:8443/a.cer",
        "https://certs.example.evil/a.cer",
        "https://certs.example@evil.example/a.cer",
        "https://user@certs.example/a.cer",
        "https://evil.example/certs.example",
        "https://odd.example/a.cer",
        "http://localhost:9000/a.cer",
        "https://169.254.169.254/",
        "file:///etc/passwd",
        "//certs.example/a.cer",
        "https://certs.example:99999/",
        "https://[::1",
        "",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    """No webhook can make us call a host that is not on the list."""
    with pytest.raises(Refused) as caught:
        Allowed(("certs.example", "odd.example:8443", "127.0.0.1")).check(url)

    assert caught.value.status == 401


class Library:
    """Files by address, and how often each was asked for."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.asked: list[str] = []

    async def __call__(self, url: str) -> bytes:
        """Hand out a file."""
        self.asked.append(url)
        return self.files[url]


@pytest.fixture
def admit(events: Connector, webhook: Webhook, tmp_path: Path) -> Callable[..., Awaitable[object]]:
    """A door that trusts our authority, and fetches from a library."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority().public_bytes(Encoding.PEM))

    def open_door(library: Library, **settings: str) -> Doorkeeper:
        connection = Connection(
            name="partner_center_events",
            connector=events.name,
            settings={"ca_file": str(ca_file), **settings},
        )
        return Doorkeeper(webhook, connection, download=library)

    return open_door  # type: ignore[return-value]


async def test_the_door_opens_for_a_true_webhook(admit: Callable[..., Doorkeeper]) -> None:
    """From headers and body to an event, the certificate fetched on the way."""
    door = admit(Library(**{CERTIFICATE_URL: der(Paper().sign())}))

    event = await door.admit(headers_for(BODY), BODY, now=NOW)

    assert event.name == "referral-updated"


async def test_a_certificate_is_fetched_once(admit: Callable[..., Doorkeeper]) -> None:
    """A burst of webhooks asks for the certificate one time."""
    library = Library(**{CERTIFICATE_URL: der(Paper().sign())})
    door = admit(library)

    for _ in range(3):
        await door.admit(headers_for(BODY), BODY, now=NOW)

    assert library.asked == [CERTIFICATE_URL]


async def test_a_missing_issuer_is_fetched(admit: Callable[..., Doorkeeper]) -> None:
    """Microsoft publishes the signer's certificate alone; what lies above is found."""
    middle = replace(Paper(), subject="middle", ca=True, purposes=())
    leaf = replace(Paper(), issuer="middle", published=ISSUER_URL)
    door = admit(Library(**{CERTIFICATE_URL: der(leaf.sign()), ISSUER_URL: der(middle.sign())}))

    event = await door.admit(headers_for(BODY), BODY, now=NOW)

    assert event.resource_id == "c5fbb3b6"


async def test_an_issuer_is_not_fetched_from_anywhere(admit: Callable[..., Doorkeeper]) -> None:
    """A certificate cannot name an address of its own choice to be called."""
    leaf = replace(Paper(), issuer="middle", published="http://169.254.169.254/latest")
    library = Library(**{CERTIFICATE_URL: der(leaf.sign())})

    with pytest.raises(Refused):
        await admit(library).admit(headers_for(BODY), BODY, now=NOW)

    assert library.asked == [CERTIFICATE_URL]


async def test_the_connection_may_allow_other_hosts(admit: Callable[..., Doorkeeper]) -> None:
    """The setting certificate_hosts takes the place of the connector's list."""
    door = admit(Library(), certificate_hosts="127.0.0.1:9000")

    with pytest.raises(Refused) as caught:
        await door.admit(headers_for(BODY), BODY, now=NOW)

    assert caught.value.reason == "address_not_allowed"


async def test_an_unreadable_authority_is_our_trouble(admit: Callable[..., Doorkeeper]) -> None:
    """A ca_file that is not there is no fault of the sender: the answer is not 401."""
    door = admit(Library(), ca_file="/nowhere/ca.pem")

    with pytest.raises(ConnectorError, match="ca_file"):
        await door.admit(headers_for(BODY), BODY, now=NOW)


async def test_a_kept_certificate_grows_old() -> None:
    """After its time, a certificate is fetched again."""
    clock = [0.0]
    library = Library(**{CERTIFICATE_URL: b"x"})
    allowed = Allowed(("3psostorageacct.blob.core.windows.net",))
    store = CertificateStore(library, allowed=allowed, keep=60, clock=lambda: clock[0])
    await store.fetch(CERTIFICATE_URL)
    clock[0] = 61.0

    await store.fetch(CERTIFICATE_URL)

    assert len(library.asked) == 2


def test_a_pem_file_may_hold_the_chain() -> None:
    """A PEM file with several certificates is read whole, the signer's first."""
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in (Paper().sign(), authority()))

    assert [one.subject for one in hooks.certificates(pem)][1] == authority().subject


def test_rubbish_is_no_certificate() -> None:
    """A page that says "not found" does not pass for a certificate."""
    with pytest.raises(Refused) as caught:
        hooks.certificates(b"<html>not found</html>")

    assert caught.value.reason == "bad_certificate"


def test_the_roots_of_this_system_are_read(webhook: Webhook) -> None:
    """Without a ca_file, the roots that come with the system or with certifi are trusted."""
    assert len(Trust.load(webhook).roots) > 20
