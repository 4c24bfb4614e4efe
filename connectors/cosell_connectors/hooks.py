"""Tell a true webhook from a false one, and read it. Pure: headers, raw body and certificates in.

This follows Microsoft's own procedure, with the holes of its sample closed: allowed addresses and
algorithms only, the chain checked up to a root, validity and purpose of the certificate too.
https://learn.microsoft.com/en-us/partner-center/developer/partner-center-webhooks
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import ipaddress
import json
import ssl
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from .model import Webhook
from .outgoing import moment
from .pointers import pick

LARGEST_CERTIFICATE: Final = 64 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_SMALLEST_KEY: Final = 2048
# SHA-1 can be forged, and is refused although Microsoft's sample has a place for it.
_HASHES: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}

Reason = Literal[
    "no_signature",
    "no_certificate_url",
    "no_algorithm",
    "address_not_allowed",
    "algorithm_not_allowed",
    "bad_certificate",
    "bad_signature",
    "bad_body",
]
_ANSWERS: Final[Mapping[Reason, int]] = {
    "no_signature": 401,
    "no_certificate_url": 400,
    "no_algorithm": 400,
    "address_not_allowed": 401,
    "algorithm_not_allowed": 401,
    "bad_certificate": 401,
    "bad_signature": 401,
    "bad_body": 400,
}


class Refused(Exception):
    """A webhook that is not let in; `status` is what to answer."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.status = _ANSWERS[reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened over there. It carries no data: the record is read again."""

    name: str
    resource_id: str
    resource_uri: str
    changed_at: datetime
    dedupe_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the headers of a webhook claim: a signature, made with the key of a certificate."""

    signature: bytes
    certificate_url: str
    algorithm: hashes.HashAlgorithm


@dataclass(frozen=True, slots=True)
class Allowed:
    """The hosts certificates may come from: `host`, or `host:port` where it is not 443."""

    hosts: tuple[str, ...]
    plain_http: bool = False  # for issuers' certificates, which vendors publish over http

    def check(self, url: str) -> None:
        """Raise Refused unless *url* is https at an allowed host, or http at allowed loopback."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise _not_allowed(url) from None
        loopback = _is_loopback(host)
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        if usual is None or not host or parts.username is not None or parts.password is not None:
            raise _not_allowed(url)
        if parts.scheme == "http" and not (loopback or self.plain_http):
            raise _not_allowed(url)
        shown = f"[{host}]" if ":" in host else host
        names = {f"{shown}:{port or usual}"}
        if loopback or port in {None, usual}:
            names |= {host, shown}
        if not names & {one.strip().lower() for one in self.hosts}:
            raise _not_allowed(url)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose certificates are believed: roots, and the organisation that must have issued them."""

    roots: tuple[x509.Certificate, ...]
    issuer: str

    @classmethod
    def load(cls, webhook: Webhook, *, ca_file: str | Path | None = None) -> Trust:
        """Trust the authorities of *ca_file*, or else the roots of this system."""
        if ca_file is not None:
            content = Path(ca_file).read_bytes()
            return cls(tuple(x509.load_pem_x509_certificates(content)), webhook.issuer)
        return cls(_system_roots(), webhook.issuer)


def claim(webhook: Webhook, headers: Mapping[str, str]) -> Claim:
    """What *headers* claim; raises Refused in the order in which a receiver must answer."""
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    signatures = (
        _parameter(lowered.get(name.lower(), ""), webhook.scheme)
        for name in webhook.signature_headers
    )
    encoded = next((one for one in signatures if one), None)
    if encoded is None:
        raise Refused("no_signature", f"no header carries a signature: {webhook.scheme} <base64>")
    url = lowered.get(webhook.certificate_url_header.lower())
    if not url:
        raise Refused("no_certificate_url", f"{webhook.certificate_url_header} is missing")
    algorithm = lowered.get(webhook.algorithm_header.lower())
    if not algorithm:
        raise Refused("no_algorithm", f"{webhook.algorithm_header} is missing")
    kind, _, digest = algorithm.lower().partition("-")
    if kind != "rsa" or digest not in _HASHES:
        raise Refused("algorithm_not_allowed", f"the algorithm {algorithm[:40]!r} is not allowed")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("bad_signature", "the signature is not base64") from None
    return Claim(signature=signature, certificate_url=url, algorithm=_HASHES[digest]())


def certificates(content: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates in *content*, DER or PEM, the signer's first."""
    try:
        if b"-----BEGIN" in content:
            return tuple(x509.load_pem_x509_certificates(content))
        return (x509.load_der_x509_certificate(content),)
    except ValueError:
        raise Refused("bad_certificate", "the certificate cannot be read") from None


def missing_issuer(chain: Sequence[x509.Certificate], trust: Trust) -> str | None:
    """Where the certificate that *chain* lacks is published; nothing where it is whole."""
    known = {root.subject for root in trust.roots} | {one.subject for one in chain}
    last = chain[-1]
    if last.issuer in known:
        return None
    try:
        access = last.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    for description in access:
        location = description.access_location
        published = description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        if published and isinstance(location, x509.UniformResourceIdentifier):
            return location.value
    return None


def verify(
    claimed: Claim, body: bytes, chain: Sequence[x509.Certificate], *, trust: Trust, now: datetime
) -> None:
    """Raise Refused unless *chain*'s first certificate signed *body*, and is trusted."""
    leaf = chain[0]
    _check_purpose(leaf, trust.issuer)
    try:
        _verifier(trust, now).verify(leaf, list(chain[1:]))
    except (VerificationError, ValueError) as error:
        raise Refused("bad_certificate", f"the certificate is not trusted: {error}") from None
    key = leaf.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _SMALLEST_KEY:
        raise Refused("bad_certificate", f"the certificate has no RSA key of {_SMALLEST_KEY} bits")
    # Microsoft's sample decodes and encodes the text before it verifies, and so loses a byte
    # order mark: what it accepts must be accepted here.
    bodies = [body, body.removeprefix(_BOM)] if body.startswith(_BOM) else [body]
    if not any(_is_signed(key, claimed, one) for one in bodies):
        raise Refused("bad_signature", "the signature does not fit the body")


def event(webhook: Webhook, body: bytes) -> Event:
    """The event in *body*; raises Refused where it is none."""
    try:
        told = json.loads(body.removeprefix(_BOM))
    except (ValueError, RecursionError):
        raise Refused("bad_body", "the body is not JSON") from None
    if not isinstance(told, dict):
        raise Refused("bad_body", "the body is not a JSON object")
    uri = _text(told, webhook.resource_uri)
    try:
        changed_at = moment(_text(told, webhook.changed_at))
    except ValueError:
        raise Refused("bad_body", f"{webhook.changed_at} is not a moment") from None
    resource_id = unquote(urlsplit(uri).path.rstrip("/").rsplit("/", 1)[-1])
    if not resource_id:
        raise Refused("bad_body", f"{webhook.resource_uri} names no record")
    parts = [_text(told, pointer) for pointer in webhook.dedupe]
    return Event(
        name=_text(told, webhook.name),
        resource_id=resource_id,
        resource_uri=uri,
        changed_at=changed_at,
        dedupe_key=hashlib.sha256("\n".join(parts).encode()).hexdigest(),
    )


def _text(told: Mapping[str, Any], pointer: str) -> str:
    found = pick(told, pointer)
    if not isinstance(found, str):
        # The guide writes EventName, the REST reference eventName; both are the same to .NET.
        found = pick({f"/{name.lower()}": value for name, value in told.items()}, "")
        found = found.get(pointer.lower())
    if not isinstance(found, str) or not found:
        raise Refused("bad_body", f"the body has no text at {pointer}")
    return found


def _parameter(header: str, scheme: str) -> str:
    named, _, parameter = header.partition(" ")
    return parameter.strip() if named.lower() == scheme.lower() else ""


def _check_purpose(leaf: x509.Certificate, issuer: str) -> None:
    organisations = [
        str(name.value) for name in leaf.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    ]
    if issuer.removeprefix("O=") not in organisations:
        raise Refused("bad_certificate", f"the certificate's issuer is not {issuer}")
    try:
        purposes = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, ValueError):
        raise Refused("bad_certificate", "the certificate does not say its purpose") from None
    # A certificate for signing programs or mail is not one for talking to servers.
    if not purposes & {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}:
        raise Refused("bad_certificate", "the certificate is made for another purpose")


def _verifier(trust: Trust, now: datetime) -> Any:
    # The signer is no web server that was asked for by name, so its names and purposes are judged
    # by us; signatures, dates, key sizes and the right of each issuer to issue, by the library.
    issuers = (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _may_issue)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
    )
    return (
        PolicyBuilder()
        .store(Store(list(trust.roots)))
        .time(now)
        .max_chain_depth(4)
        .extension_policies(ee_policy=ExtensionPolicy.permit_all(), ca_policy=issuers)
        .build_client_verifier()
    )


def _may_issue(_: Policy, __: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("the issuer is not an authority")


def _may_sign_certificates(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("the issuer may not sign certificates")


def _is_signed(key: rsa.RSAPublicKey, claimed: Claim, body: bytes) -> bool:
    try:
        key.verify(claimed.signature, body, padding.PKCS1v15(), claimed.algorithm)
    except InvalidSignature:
        return False
    return True


def _system_roots() -> tuple[x509.Certificate, ...]:
    context = ssl.create_default_context()
    if not context.get_ca_certs():
        context.load_verify_locations(certifi.where())
    roots: list[x509.Certificate] = []
    for encoded in context.get_ca_certs(binary_form=True):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Some old roots break RFC 5280, say with a serial number of zero; none is needed here.
            with contextlib.suppress(ValueError, Warning):
                roots.append(x509.load_der_x509_certificate(encoded))
    return tuple(roots)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _not_allowed(url: str) -> Refused:
    return Refused("address_not_allowed", f"no certificate is fetched from {url[:200]!r}")


def hosts(webhook: Webhook, configured: Iterable[str]) -> Allowed:
    """The hosts the connection allows, or else those of the connector file."""
    return Allowed(tuple(configured) or webhook.certificate_hosts)
