"""What a configuration of the synthesis may say."""

from __future__ import annotations

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis.config import SynthesisConfig
from omni_iml.data.synthesis.history import CHANNELS

_PROBABILITIES = (
    "authentic",
    "rendered",
    "first_jpeg",
    "twice",
    "camera",
    "donor_jpeg",
    "crop_shift",
    "rescale",
    "soften",
    "last_png",
    "pad",
    "again",
)


def check(config: SynthesisConfig) -> None:
    """Refuse what cannot be drawn from, before anything is drawn or written.

    Raises:
        ValueError: one sentence on the first setting that is wrong.
    """
    if config.size < 32 or config.size % 32:
        raise ValueError(f"synthesis size {config.size}: is no positive multiple of 32; choose 128, 256 or 512.")
    if config.views < 1:
        raise ValueError(f"synthesis views {config.views}: a composite needs one view at least; choose 1 or more.")
    for name in _PROBABILITIES:
        if not 0 <= getattr(config, name) <= 1:
            raise ValueError(f"synthesis {name} {getattr(config, name)}: is no probability; choose 0 to 1.")
    for name in ("first_quality", "last_quality"):
        low, high = getattr(config, name)
        if not 1 <= low <= high <= 100:
            raise ValueError(f"synthesis {name} {low}, {high}: is no range of JPEG qualities; choose within 1 to 100.")
    low, high = config.area
    if not 0 < low <= high < 1:
        raise ValueError(f"synthesis area {low}, {high}: is no range of shares of a picture; choose within 0 to 1.")
    shares = {"domains": config.domains, "channels": config.channels, "operations": config.operations}
    for kind, values in shares.items():
        if below := sorted(name for name, share in values.items() if not share >= 0):
            raise ValueError(f"synthesis {kind}: the share of {', '.join(below)} is negative; choose 0 or more.")
    for kind, known in (("domain", DOMAINS), ("channel", tuple(CHANNELS))):
        values = shares[f"{kind}s"]
        if unknown := sorted(set(values) - set(known)):
            raise ValueError(f"{kind} {', '.join(unknown)}: is unknown; the {kind}s are {', '.join(known)}.")
        if not any(share > 0 for share in values.values()):
            raise ValueError(f"synthesis {kind}s: none has a share above 0; give one a share.")
