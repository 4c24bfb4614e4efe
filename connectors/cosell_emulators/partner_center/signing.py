"""Sign webhook deliveries with a certificate that the sandbox's own authority issued.

https://learn.microsoft.com/en-us/partner-center/developer/partner-center-webhooks
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SUBJECT = "pcnotifications-dispatch.microsoft.com"
ALGORITHM = "rsa-sha256"

_BITS = 2048


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs deliveries, its certificate, and the authority behind it."""

    key: rsa.RSAPrivateKey
    certificate: bytes
    ca_pem: bytes

    def sign(self, body: bytes) -> str:
        """Sign the very bytes that are sent."""
        return base64.b64encode(self.key.sign(body, padding.PKCS1v15(), SHA256())).decode()


@cache
def signer() -> Signer:
    """Make an authority and a signing certificate, once in a process."""
    now = datetime.now(UTC)
    authority = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    ca = _authority(authority, now)
    leaf = _leaf(key, authority, ca, now)
    return Signer(key, leaf.public_bytes(Encoding.DER), ca.public_bytes(Encoding.PEM))


def _authority(key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    name = _name("Sandbox Issuing CA 01")
    return (
        _builder(name, name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )


def _leaf(
    key: rsa.RSAPrivateKey, authority: rsa.RSAPrivateKey, ca: x509.Certificate, now: datetime
) -> x509.Certificate:
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return (
        _builder(_name(SUBJECT), ca.subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SUBJECT)]), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority, SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, now: datetime
) -> x509.CertificateBuilder:
    begins = now.replace(microsecond=0) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Microsoft Corporation"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
