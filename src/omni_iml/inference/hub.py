"""Model files of the Hugging Face hub: ``hf://owner/name[@revision]``. Needs the extra ``omni-iml[hub]``.

The only part of the package that asks the network for anything, and only when a model is named so. Safetensors and ONNX
files alone are taken: neither can carry code that loading would run.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from pathlib import Path

from omni_iml.types import UnreadableModel

log = logging.getLogger(__name__)

PREFIX = "hf://"
_NAME = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[\w./-]+?))?(?:#(?P<file>[\w./-]+))?")


def located(model: str | Path, suffix: str = ".onnx") -> Path:
    """The file that a model's name stands for.

    Args:
        model: a path, given back as it is; or ``hf://owner/name``, with ``@revision`` (a branch, a tag or a commit) for
            other than the main branch, and ``#file`` where the repository holds several files of that kind.
        suffix: of the wanted file in a repository, ".onnx" or ".safetensors"; the other one is taken where it is the
            only one there.

    Raises:
        UnreadableModel: the name has another form, huggingface_hub is not installed, or the repository cannot be read
            or holds no such file, or several.
    """
    if not str(model).startswith(PREFIX):
        return Path(model)
    parts = _NAME.fullmatch(str(model))
    if parts is None:
        raise UnreadableModel(f"{model}: is no name of a model on the hub; write hf://owner/name@revision.")
    try:
        from huggingface_hub import HfApi
    except ModuleNotFoundError as error:
        raise UnreadableModel(f"{model}: needs huggingface_hub; run pip install 'omni-iml[hub]'.") from error
    try:
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        info = api.model_info(parts["repo"], revision=parts["revision"])
        name = parts["file"] or _chosen(str(model), [file.rfilename for file in info.siblings or ()], suffix)
        if not name.endswith((".onnx", ".safetensors")):
            raise UnreadableModel(f"{model}: {name} is neither ONNX nor safetensors; only these are loaded.")
        # By its commit: what was listed is what is fetched, whatever happens to the branch meanwhile.
        path = Path(api.hf_hub_download(parts["repo"], name, revision=info.sha))
    except UnreadableModel:
        raise
    except Exception as error:  # huggingface_hub raises its own errors and those of two HTTP libraries
        reason = " ".join(str(error).split())[:160]
        raise UnreadableModel(f"{model}: cannot be fetched ({reason}); fetch the file and give its path.") from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    log.warning("%s: %s at commit %s, sha256 %s", model, name, info.sha, digest)
    return path


def _chosen(model: str, files: list[str], suffix: str) -> str:
    other = ".safetensors" if suffix == ".onnx" else ".onnx"
    for kind in (suffix, other):
        found = [name for name in files if name.endswith(kind)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnreadableModel(f"{model}: holds {len(found)} files {kind}; name one: {model}#{found[0]}.")
    raise UnreadableModel(f"{model}: holds neither an ONNX nor a safetensors file; name another repository.")
