"""Where a context encoder's published weights come from."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from omni_iml.models import Network, OmniIML
from omni_iml.models.pretrained import read_tensors

CONTEXT = "vision_head.context."
"""Where the names of `ContextEncoder`'s weights begin."""


def fill_context(network: Network, source: str | None, *, needed: bool = False) -> bool:
    """Fill a network's context encoder from published weights.

    Args:
        network: changed in place.
        source: a checkpoint file, or the name of an installed package that holds one; None for nothing to do.
        needed: there are no other weights for it, so a network that has a context must get them here.

    Returns:
        Whether it was filled.

    Raises:
        ValueError: the network has none, or it needs a source.
        UnreadableModel: the file is missing, damaged or another network's.
    """
    context = network.vision_head.context if isinstance(network, OmniIML) else None
    if source is None:
        if context is not None and needed:
            raise ValueError("model.context: its published weights are missing; name their file in init.context.")
        return False
    if context is None:
        raise ValueError("init.context: this network reads no context; set model.context, or leave it out.")
    context.load_published(read_tensors(located(source)), source)
    return True


def located(source: str) -> Path:
    """The checkpoint file that a path or the name of an installed package stands for.

    Raises:
        ValueError: neither a file nor a package with one checkpoint in it.
    """
    path = Path(source).expanduser()
    if path.exists() or not source.isidentifier():
        return path
    package = find_spec(source)
    folders = [] if package is None else list(package.submodule_search_locations or ())
    found = [file for folder in folders for file in Path(folder).rglob("*.pth")]
    if len(found) != 1:
        raise ValueError(f"init.context: {source} is no file and no installed package with a checkpoint; install it.")
    return found[0]
