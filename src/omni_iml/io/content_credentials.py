"""C2PA content credentials: who says to have made the file, and whether the signature holds.

Whether a manifest store is there is found by `omni_iml.io.embedded` alone. To read it takes the extra ``c2pa``, whose
library is kept from the network: a manifest may name addresses, and looking at a picture must not tell anybody.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import IO, Any

from omni_iml.text import plain

EXTRA = "reading the content credentials needs the extra: pip install 'omni-iml[c2pa]'"

_MIME = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heif",
}
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False},
    "core": {"allowed_network_hosts": []},
}
_MOST_BYTES = 2**26
_MOST_CODES = 8


def read_credentials(stream: IO[bytes], kind: str, size: int) -> dict[str, Any]:
    """Read the active manifest of a file that has a C2PA manifest store.

    Args:
        stream: the file, at any position; left open.
        kind: its format, as `omni_iml.io.sniff.sniff` names it.
        size: its length in bytes.

    Returns:
        ``manifest``: "present"; with the extra: ``claim_generator``, ``signer`` (who issued the certificate is not
        checked against any list of trust), ``signed`` (the time), ``signature``: "valid" or "invalid", and
        ``problems``, the codes of what failed; without it, or where the library gives up: ``note``, one sentence.
    """
    facts: dict[str, Any] = {"manifest": "present"}
    if find_spec("c2pa") is None:
        return {**facts, "note": EXTRA}
    if kind not in _MIME or size > _MOST_BYTES:
        return {**facts, "note": "the manifest was not read: the file is too long or of a kind that is not supported"}
    import c2pa

    try:
        stream.seek(0)
        with c2pa.Context.from_dict(_OFFLINE) as context, c2pa.Reader(_MIME[kind], stream, None, context) as reader:
            manifest: dict[str, Any] = reader.get_active_manifest() or {}
            state = reader.get_validation_state()
            results: dict[str, Any] = reader.get_validation_results() or {}
    except Exception as error:  # the library raises what its native side reports, under a dozen names
        return {**facts, "note": plain(f"the manifest could not be read ({error})")}
    return {**facts, **_manifest(manifest), **_validation(state, results)}


def _manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    generators = manifest.get("claim_generator_info")
    first = generators[0] if isinstance(generators, list) and generators and isinstance(generators[0], dict) else {}
    name = " ".join(str(first[key]) for key in ("name", "version") if first.get(key))
    signature = manifest.get("signature_info")
    signature = signature if isinstance(signature, dict) else {}
    values = {
        "claim_generator": name or manifest.get("claim_generator"),
        "signer": signature.get("issuer"),
        "signed": signature.get("time"),
    }
    return {key: plain(str(value)) for key, value in values.items() if value}


def _validation(state: str | None, results: dict[str, Any]) -> dict[str, Any]:
    active = results.get("activeManifest")
    failures = active.get("failure", []) if isinstance(active, dict) else []
    codes = [plain(str(item.get("code"))) for item in failures if isinstance(item, dict)]
    facts: dict[str, Any] = {"signature": "valid" if state in ("Valid", "Trusted") else "invalid"}
    if codes:
        facts["problems"] = list(dict.fromkeys(codes))[:_MOST_CODES]
    return facts
