"""Maps of a model of IMDL-BenCo's zoo, for `omni-iml evaluate --predictions`.

    python scripts/benco_predict.py Mesorch --checkpoint mesorch.pth --data casia1=data/casia1 --out maps
    omni-iml evaluate --data casia1=data/casia1 --predictions maps --out results

Runs in an environment that has IMDL-BenCo; it needs nothing of this package, only folders of pictures. The picture is
resized to S x S as its test scripts do, and the map back to the picture's size, as its own script that saves maps does.
Maps are float32 NumPy files ``<set>/<name>.npy``, so that nothing is rounded.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from IMDLBenCo.registry import MODELS
from PIL import Image

PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"}
MASKS = {"masks", "Gt", "mask"}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load_model(name: str, checkpoint: Path | None, arguments: dict[str, object]) -> torch.nn.Module:
    """A model of the zoo with its weights; without a checkpoint, with those that it starts from."""
    model = MODELS.get(name)(**arguments)
    if checkpoint is not None:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(state.get("model", state))
    return model


@torch.no_grad()
def predict(model: torch.nn.Module, path: Path, side: int, device: str) -> tuple[np.ndarray, float | None]:
    """Map at the picture's size, 0..1, and the image score where the model has one."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    resized = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_LINEAR)
    tensor = torch.from_numpy((resized / 255 - MEAN) / STD).permute(2, 0, 1)[None].float().to(device)
    mask, label = torch.zeros(1, 1, side, side, device=device), torch.zeros(1, device=device)
    shape = torch.tensor([[side, side]])
    output = model(
        image=tensor, mask=mask, label=label, edge_mask=mask, shape=shape, origin_shape=shape, name=[path.name]
    )
    map_ = output["pred_mask"].float().clamp(0, 1)
    if map_.shape[-2:] != pixels.shape[:2]:
        map_ = torch.nn.functional.interpolate(map_, pixels.shape[:2], mode="bilinear", align_corners=False)
    score = output.get("pred_label")
    return map_[0, 0].cpu().numpy().astype(np.float32), None if score is None else float(score.flatten()[0])


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Maps of a model of IMDL-BenCo's zoo.")
    parser.add_argument("model", help="name in its registry, for example Mesorch")
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--arguments", type=json.loads, default={}, help="JSON object for the model's constructor")
    parser.add_argument("--data", action="append", required=True, metavar="NAME=ROOT")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--train-mode", action="store_true", help="leave the model in training mode, as MVSS-Net's tests"
    )
    options = parser.parse_args()
    model = load_model(options.model, options.checkpoint, options.arguments).to(options.device)
    model.train(options.train_mode)
    for text in options.data:
        name, _, place = text.partition("=")
        root = Path(place)
        for path in sorted(root.rglob("*")):
            below = path.relative_to(root)
            if path.suffix.lower() not in PICTURES or below.parts[0] in MASKS:
                continue
            map_, score = predict(model, path, options.side, options.device)
            # The pictures' own folder says nothing; that of the authentic ones stays, as the readers' keys have it.
            inner = below if below.parts[0] in ("authentic", "Au", "real") else Path(*below.parts[1:])
            target = options.out / name / inner.with_suffix(".npy")
            target.parent.mkdir(parents=True, exist_ok=True)
            np.save(target, map_)
            if score is not None:
                target.with_suffix(".json").write_text(json.dumps({"score": score}), encoding="utf-8")
            print(target, flush=True)


if __name__ == "__main__":
    main()
