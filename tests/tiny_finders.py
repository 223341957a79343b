"""A tiny random Grounding DINO and a tiny random SAM, built on the spot from the real classes of transformers."""

from __future__ import annotations

from pathlib import Path

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?")


def build_detector(folder: Path, words: tuple[str, ...]) -> Path:
    """Write a Grounding DINO that knows some words.

    Args:
        folder: where to.
        words: in small letters.

    Returns:
        The folder.
    """
    import torch
    from transformers import (
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
    )

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join((*_SPECIAL, *words)) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(str(vocabulary))
    config = GroundingDinoConfig(
        backbone_config={
            "model_type": "swin", "embed_dim": 16, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2], "window_size": 4,
            "image_size": 64, "out_features": ["stage2", "stage3", "stage4"],
        },
        text_config={
            "model_type": "bert", "vocab_size": len(_SPECIAL) + len(words), "hidden_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 32,
        },
        d_model=32, encoder_layers=1, encoder_ffn_dim=32, encoder_attention_heads=2, decoder_layers=2,
        decoder_ffn_dim=32, decoder_attention_heads=2, num_queries=60, num_feature_levels=4,
    )  # fmt: skip
    model = GroundingDinoForObjectDetection(config)
    with torch.no_grad():
        model.model.encoder_output_bbox_embed.layers[-1].bias[2:] += 4.0  # large boxes, some of them alike
    model.save_pretrained(folder)
    frames = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    GroundingDinoProcessor(frames, tokenizer).save_pretrained(folder)
    return folder


def build_segmenter(folder: Path) -> Path:
    """Write a SAM.

    Args:
        folder: where to.

    Returns:
        The folder.
    """
    import torch
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    torch.manual_seed(0)
    config = SamConfig(
        vision_config={
            "hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": 64, "patch_size": 8, "window_size": 4, "global_attn_indexes": [1], "mlp_dim": 32,
            "num_pos_feats": 8,
        },
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 8, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    SamModel(config).save_pretrained(folder)
    square = {"height": 64, "width": 64}
    frames = SamImageProcessor(size={"longest_edge": 64}, pad_size=square, mask_size={"longest_edge": 32})
    SamProcessor(frames).save_pretrained(folder)
    return folder
