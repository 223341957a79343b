"""Tiny random multimodal models of four families, built on the spot: the real classes of transformers, no download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

END = "<|im_end|>"
_VISION = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_TEXT = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 4096,
}  # fmt: skip
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% else %}IMAGE{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build(family: str, folder: Path, texts: list[str]) -> Path:
    """Write a model and its processor.

    Args:
        family: one of `FAMILIES`.
        folder: where to.
        texts: what the tokenizer learns its words from.

    Returns:
        The folder.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    model, processor = FAMILIES[family](texts)
    model.config.eos_token_id = model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _tokenizer(texts: list[str], **special: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    names = ["<|pad|>", "<|im_start|>", END, *special.values()]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=names, initial_alphabet=alphabet, show_progress=False)
    core.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<|pad|>", eos_token=END, padding_side="left", extra_special_tokens=special
    )


def _qwen(texts: list[str]) -> tuple[Any, Any]:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    tokenizer = _tokenizer(
        texts, image_token="<|image_pad|>", video_token="<|video_pad|>", start="<|vision_start|>", end="<|vision_end|>"
    )
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in
           ("image_pad", "video_pad", "vision_start", "vision_end")}  # fmt: skip
    config = Qwen2_5_VLConfig(
        text_config={**_TEXT, "vocab_size": len(tokenizer), "rope_parameters": rope},
        vision_config={
            "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": 64,
            "window_size": 56, "fullatt_block_indexes": [1],
        },
        image_token_id=ids["image_pad"], video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"], vision_end_token_id=ids["vision_end"],
    )  # fmt: skip
    size = {"shortest_edge": 28 * 28, "longest_edge": 128 * 28 * 28}
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(size=size), tokenizer, Qwen2VLVideoProcessor(size=size),
        chat_template=_TEMPLATE.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )  # fmt: skip
    return Qwen2_5_VLForConditionalGeneration(config), processor


def _internvl(texts: list[str]) -> tuple[Any, Any]:
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
    )

    tokenizer = _tokenizer(
        texts, context_image_token="<IMG_CONTEXT>", start_image_token="<img>", end_image_token="</img>",
        video_token="<video>",
    )  # fmt: skip
    config = InternVLConfig(
        text_config={"model_type": "qwen2", **_TEXT, "vocab_size": len(tokenizer)},
        vision_config={**_VISION, "image_size": [56, 56], "patch_size": [14, 14]},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"), image_seq_length=4,
    )  # fmt: skip
    size = {"height": 56, "width": 56}
    processor = InternVLProcessor(
        GotOcr2ImageProcessor(size=size, crop_to_patches=True, max_patches=4), tokenizer,
        InternVLVideoProcessor(size=size), image_seq_length=4,
        chat_template=_TEMPLATE.replace("IMAGE", "<IMG_CONTEXT>\n"),
    )  # fmt: skip
    return InternVLForConditionalGeneration(config), processor


def _deepseek(texts: list[str]) -> tuple[Any, Any]:
    from transformers import (
        DeepseekVLConfig,
        DeepseekVLForConditionalGeneration,
        DeepseekVLImageProcessor,
        DeepseekVLProcessor,
    )

    tokenizer = _tokenizer(texts, image_token="<image_placeholder>")
    config = DeepseekVLConfig(
        text_config={"model_type": "llama", **_TEXT, "vocab_size": len(tokenizer)},
        vision_config={"model_type": "siglip_vision_model", **_VISION, "image_size": 64, "patch_size": 16},
        image_token_id=tokenizer.convert_tokens_to_ids("<image_placeholder>"),
    )
    processor = DeepseekVLProcessor(
        DeepseekVLImageProcessor(size={"height": 64, "width": 64}), tokenizer, num_image_tokens=16,
        chat_template=_TEMPLATE.replace("IMAGE", "<image_placeholder>"),
    )  # fmt: skip
    return DeepseekVLForConditionalGeneration(config), processor


def _minicpm(texts: list[str]) -> tuple[Any, Any]:
    from transformers import (
        MiniCPMV4_6Config,
        MiniCPMV4_6ForConditionalGeneration,
        MiniCPMV4_6ImageProcessor,
        MiniCPMV4_6Processor,
        MiniCPMV4_6VideoProcessor,
    )

    names = ("image_start", "image_end", "slice_start", "slice_end", "image_id_start", "image_id_end")
    tokenizer = _tokenizer(
        texts, image_token="<|image_pad|>", video_token="<|video_pad|>",
        **{f"{name}_token": f"<|{name}|>" for name in names},
    )  # fmt: skip
    config = MiniCPMV4_6Config(
        text_config={
            "model_type": "qwen3_5_text", **_TEXT, "vocab_size": len(tokenizer), "head_dim": 16,
            "layer_types": ["full_attention", "full_attention"],
        },
        vision_config={**_VISION, "image_size": 112, "patch_size": 14},
        insert_layer_id=0, image_size=112,
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
    )  # fmt: skip
    options = {"scale_resolution": 112, "max_slice_nums": 2, "patch_size": 14}
    processor = MiniCPMV4_6Processor(
        MiniCPMV4_6ImageProcessor(**options), MiniCPMV4_6VideoProcessor(**options), tokenizer,
        chat_template=_TEMPLATE.replace("IMAGE", "<|image_pad|>"),
    )  # fmt: skip
    return MiniCPMV4_6ForConditionalGeneration(config), processor


FAMILIES: dict[str, Callable[[list[str]], tuple[Any, Any]]] = {
    "qwen2_5_vl": _qwen,
    "internvl": _internvl,
    "deepseek_vl": _deepseek,
    "minicpmv": _minicpm,
}
