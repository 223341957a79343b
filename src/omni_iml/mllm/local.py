"""A model in this process: whatever `transformers` opens as image-text-to-text; whole, quantized, with a LoRA adapter.

Qwen2.5-VL, InternVL3, DeepSeek-VL and MiniCPM-V (from 4.6) are among them; MiniCPM-V 2.6 comes with code of its own,
which is not run here: serve it and use an endpoint. This is the one file of the package that needs torch.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig

from omni_iml.mllm.asking import Ending, NoAnswer, Query, Reply
from omni_iml.mllm.loops import loop_start
from omni_iml.mllm.pictures import reduced
from omni_iml.text import plain
from omni_iml.types import OmniError

DType = Literal["auto", "bfloat16", "float16", "float32"]
_LOOK = 16
"""Tokens between two looks for a loop."""


class UnreadableMllm(OmniError):  # noqa: N818 - twin of UnreadableModel
    """A folder that is no multimodal model, or one that cannot be opened as asked."""


@dataclass(frozen=True)
class Loading:
    """How a model is brought into memory.

    Attributes:
        dtype: "auto" takes what the weights are stored in.
        bits: 4 or 8 to quantize while loading (bitsandbytes); None for none.
        device_map: "auto" spreads the model over what there is (accelerate), or a device; None for the first GPU, or
            the processor where there is none.
        adapter: folder of a LoRA adapter; None for none.
    """

    dtype: DType = "auto"
    bits: Literal[4, 8] | None = None
    device_map: str | None = None
    adapter: str | None = None


def load_parts(folder: str | Path, loading: Loading, revision: str | None = None) -> tuple[Any, Any]:
    """Load model and processor, never running code that comes with them and never reading pickled weights.

    Args:
        folder: a local folder, or with ``revision`` the name of a repository on the hub.
        loading: how.
        revision: of the repository; None for a local folder, which asks no network for anything.

    Returns:
        The model and its processor.

    Raises:
        UnreadableMllm: they cannot be opened.
    """
    where: dict[str, Any] = {"trust_remote_code": False}
    where |= {"local_files_only": True} if revision is None else {"revision": revision}
    if revision is None and not Path(folder).is_dir():
        raise UnreadableMllm(f"{folder}: there is no such folder of a model; name one.")
    device = loading.device_map or ("cuda:0" if torch.cuda.is_available() else "cpu")
    options: dict[str, Any] = {"dtype": loading.dtype, "device_map": device, "use_safetensors": True}
    if loading.bits is not None:
        options["quantization_config"] = _quantization(folder, loading.bits)
    try:
        processor = AutoProcessor.from_pretrained(folder, **where)
        model = AutoModelForImageTextToText.from_pretrained(folder, **options, **where)
        if loading.adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, loading.adapter)
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        reason = plain(str(error))
        raise UnreadableMllm(f"{folder}: cannot be opened as a multimodal model ({reason}); name another.") from error
    if getattr(processor, "chat_template", None) is None:
        raise UnreadableMllm(
            f"{folder}: has no chat template, so it is not known how to ask it; take an instructed model."
        )
    return model, processor


def _quantization(folder: str | Path, bits: int) -> Any:
    import importlib.util

    if importlib.util.find_spec("bitsandbytes") is None:
        raise UnreadableMllm(f"{folder}: {bits} bits need bitsandbytes; run pip install bitsandbytes.")
    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)


def conversation(text: str, images: list[Image.Image]) -> list[dict[str, Any]]:
    """A query as the chat templates of transformers take it: the pictures first.

    Args:
        text: the prompt.
        images: RGB.
    """
    content: list[dict[str, Any]] = [{"type": "image", "image": image} for image in images]
    return [{"role": "user", "content": [*content, {"type": "text", "text": text}]}]


class LocalModel:
    """A model in this process. It answers one question at a time, always with the likeliest token.

    Args:
        name: what it is called in results.
        model: of transformers.
        processor: that belongs to it.
        timeout: seconds for an answer; one that is not finished then is kept as far as it has come.
        max_tokens: longest answer, in tokens.
        max_side: longest side of a picture, in pixels; larger ones are reduced. Processors reduce further.
    """

    backend = "local"

    def __init__(
        self, name: str, model: Any, processor: Any, *, timeout: float, max_tokens: int, max_side: int
    ) -> None:
        self.model = name
        self._model, self._processor = model.eval(), processor
        self._timeout, self._max_tokens, self._max_side = timeout, max_tokens, max_side
        self._lock = threading.Lock()

    @torch.inference_mode()
    def reply(self, query: Query) -> Reply:
        """Ask once.

        Args:
            query: what is asked.

        Returns:
            What the model said, as far as it came in the time and the tokens allowed.

        Raises:
            NoAnswer: memory does not suffice, or the model cannot take the query.
        """
        images = [Image.fromarray(reduced(image, self._max_side)) for image in query.images]
        watch = _Watch()
        with self._lock:
            try:
                inputs = self._processor.apply_chat_template(
                    conversation(query.text, images),
                    add_generation_prompt=True,
                    tokenize=True,
                    return_dict=True,
                    return_tensors="pt",
                ).to(self._model.device)
                asked = inputs["input_ids"].shape[1]
                watch.start = asked
                inputs = {name: self._cast(value) for name, value in inputs.items()}
                said = self._model.generate(
                    **inputs,
                    max_new_tokens=self._max_tokens,
                    max_time=self._timeout,
                    do_sample=False,
                    temperature=None,
                    top_p=None,
                    top_k=None,
                    stopping_criteria=[watch],
                )[0, asked:].tolist()
            except torch.OutOfMemoryError as error:
                raise NoAnswer("the memory does not suffice; take a smaller --max-side, or 4 bits") from error
            except Exception as error:  # chat templates and processors raise whatever they like
                raise NoAnswer(f"the model cannot take the question ({plain(str(error))})") from error
        text = self._processor.decode(said, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return Reply(text.strip(), self._ending(said, watch), asked, len(said))

    def _cast(self, value: Any) -> Any:
        """Pictures in the weights' precision; token numbers stay integers."""
        return value.to(self._model.dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value

    def _ending(self, said: list[int], watch: _Watch) -> Ending:
        ends = self._model.generation_config.eos_token_id
        if said and said[-1] in (ends if isinstance(ends, list) else [ends]):
            return "stop"
        if watch.loop:
            return "loop"
        return "length" if len(said) >= self._max_tokens else "time"


class _Watch:
    """Stops a model that repeats itself."""

    def __init__(self) -> None:
        self.start = 0
        self.loop = False

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        said = input_ids[0, self.start :]
        if len(said) % _LOOK == 0:
            self.loop = loop_start(said.tolist()) is not None
        return torch.full((len(input_ids),), self.loop, device=input_ids.device)
