from __future__ import annotations

import datetime
import importlib.util
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from io_pictures import encode, insert, picture, segment

from omni_iml.io import content_credentials, load

CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
WITH_LIBRARY = pytest.mark.skipif(importlib.util.find_spec("c2pa") is None, reason="needs the extra c2pa")


def sign(remote: str | None = None) -> bytes:
    """A JPEG file signed with a certificate made for the occasion, its manifest inside or said to be elsewhere."""
    import c2pa
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text), x509.NameAttribute(NameOID.COMMON_NAME, text)]
        )

    now = datetime.datetime.now(datetime.UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def certificate(subject: str, public, authority: bool) -> x509.Certificate:
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("Test Root"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    decipher_only=False,
                    **usage,
                ),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )
        if not authority:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
            )
        return builder.sign(root_key, hashes.SHA256())

    chain = b"".join(
        item.public_bytes(serialization.Encoding.PEM)
        for item in (
            certificate("Test Signer", key.public_key(), False),
            certificate("Test Root", root_key.public_key(), True),
        )
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    manifest = {
        "claim_generator_info": [{"name": "Test Camera", "version": "1.0"}],
        "format": "image/jpeg",
        "title": "picture",
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURE}]}}
        ],
    }
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, private, None))
    target = io.BytesIO()
    with c2pa.Builder(json.dumps(manifest)) as builder:
        if remote:
            builder.set_no_embed()
            builder.set_remote_url(remote)
        builder.sign(signer, "image/jpeg", io.BytesIO(encode(picture(128, 128))), target)
    return target.getvalue()


@pytest.fixture(scope="module")
def signed() -> bytes:
    return sign()


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/manifest.c2pa", asked
        httpd.shutdown()
        thread.join()


@WITH_LIBRARY
def test_nobody_is_asked_for_a_manifest_that_lies_elsewhere(server: tuple[str, list[str]]) -> None:
    import c2pa

    address, asked = server
    data = sign(address)
    assert load(data).facts["c2pa"] == {"manifest": "absent"}
    assert "note" in content_credentials.read_credentials(io.BytesIO(data), "JPEG", len(data))
    assert asked == []
    with pytest.raises(c2pa.C2paError):  # left to itself, the library asks
        c2pa.Reader("image/jpeg", io.BytesIO(data))
    assert asked


@WITH_LIBRARY
def test_a_signed_picture(signed: bytes) -> None:
    facts = load(signed).facts["c2pa"]
    assert facts["manifest"] == "present"
    assert facts["claim_generator"].startswith("Test Camera 1.0")
    assert facts["signer"] == "Test Signer"
    assert facts["signature"] == "valid"


@WITH_LIBRARY
def test_a_picture_that_was_changed_after_signing(signed: bytes) -> None:
    changed = bytearray(signed)
    changed[-20] ^= 0x10
    facts = load(bytes(changed)).facts["c2pa"]
    assert facts["signature"] == "invalid"
    assert any("hash" in code.lower() for code in facts["problems"])


@WITH_LIBRARY
def test_a_damaged_manifest_is_said_to_be_unreadable(signed: bytes) -> None:
    at = signed.index(b"jumd")
    damaged = signed[: at + 40] + bytes(60) + signed[at + 100 :]
    facts = load(damaged).facts["c2pa"]
    assert facts["manifest"] == "present"
    assert "could not be read" in facts["note"] or facts["signature"] == "invalid"


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_credentials, "find_spec", lambda _: None)
    label = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq\x03c2pa\x00"
    box = b"\x00\x00\x00\x80jumb\x00\x00\x00\x26jumd" + label
    facts = load(insert(encode(picture()), segment(0xEB, b"JP\x00\x01\x00\x00\x00\x01" + box))).facts["c2pa"]
    assert facts == {"manifest": "present", "note": content_credentials.EXTRA}
