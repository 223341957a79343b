"""Twenty tiny pictures with maps, and their scores by plain loops and fractions, sharing no code with the package."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omni_iml.evaluation.counting import Truth


@dataclass(frozen=True)
class Golden:
    name: str
    map: np.ndarray
    mask: np.ndarray  # gray levels as in a file
    label: int
    score: float

    @property
    def truth(self) -> Truth:
        return Truth(self.mask > 127.5, self.mask != 0)


def _rectangle(shape, box, value=1.0, ground=0.0):
    array = np.full(shape, ground, np.float32)
    y0, y1, x0, x1 = box
    array[y0:y1, x0:x1] = value
    return array


def _mask(shape, box, value=255):
    return _rectangle(shape, box, value).astype(np.uint8)


def golden() -> list[Golden]:
    rng = np.random.default_rng(20)
    shape, box = (40, 48), (8, 32, 10, 34)  # 24 x 24 of 40 x 48: 10 x 10 of them survive the band
    mask = _mask(shape, box)
    graded = rng.random(shape).astype(np.float32)
    two = np.clip(_rectangle(shape, (4, 12, 4, 12)) + _rectangle(shape, (24, 34, 30, 44)), 0, 1)
    ring = mask.copy()
    ring[9, 11:33] = 100  # gray: tampered where any value counts, not where half does
    cases = [
        ("perfect", mask / np.float32(255), mask, 1, 0.9),
        ("empty prediction", np.zeros(shape, np.float32), mask, 1, 0.2),
        ("full prediction", np.ones(shape, np.float32), mask, 1, 0.7),
        ("inverted", 1 - mask / np.float32(255), mask, 1, 0.6),
        ("exactly half", np.full(shape, 0.5, np.float32), mask, 1, 0.5),
        ("half inside", _rectangle(shape, box, 0.5, 0.25), mask, 1, 0.55),
        ("shifted", _rectangle(shape, (12, 36, 16, 40), 0.8, 0.1), mask, 1, 0.8),
        ("graded", graded, mask, 1, 0.65),
        ("graded 8 bits", np.round(graded * 255).astype(np.float32) / np.float32(255), mask, 1, 0.61),
        ("just above half", _rectangle(shape, box, 0.5001, 0.4999), mask, 1, 0.3),
        ("one pixel", _rectangle(shape, (20, 21, 20, 21)), _mask(shape, (20, 21, 20, 21)), 1, 0.4),
        ("one pixel missed", np.zeros(shape, np.float32), _mask(shape, (20, 21, 20, 21)), 1, 0.1),
        ("two regions", two, mask, 1, 0.75),
        ("all tampered", rng.random(shape).astype(np.float32), np.full(shape, 255, np.uint8), 1, 0.95),
        ("all tampered, all found", np.ones(shape, np.float32), np.full(shape, 255, np.uint8), 1, 0.99),
        ("gray mask", _rectangle(shape, box, 0.9, 0.2), ring, 1, 0.7),
        ("called tampered, empty mask", _rectangle(shape, (0, 4, 0, 4)), np.zeros(shape, np.uint8), 1, 0.35),
        ("authentic, clean", np.zeros(shape, np.float32), np.zeros(shape, np.uint8), 0, 0.05),
        ("authentic, false alarm", _rectangle(shape, (0, 10, 0, 12), 0.7), np.zeros(shape, np.uint8), 0, 0.66),
        ("tall and thin", rng.random((57, 19)).astype(np.float32), _mask((57, 19), (20, 50, 0, 19)), 1, 0.45),
    ]
    return [Golden(name, np.asarray(m, np.float32), g, label, score) for name, m, g, label, score in cases]


# The derivations. Counts by loops over pixels; formulas written out with Python's own numbers.


def counts(called, mask, kept=None):
    tp = fp = fn = tn = 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if kept is not None and not kept[y][x]:
                continue
            if mask[y, x]:
                tp, fn = (tp + 1, fn) if called[y, x] else (tp, fn + 1)
            else:
                fp, tn = (fp + 1, tn) if called[y, x] else (fp, tn + 1)
    return tp, fp, fn, tn


def band(mask):
    """Kept: every pixel of a 15 x 15 window tampered, or none of an 11 x 11 window; windows cut at the border."""
    height, width = mask.shape

    def window(y, x, side):
        half = side // 2
        return mask[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]

    return [[bool(window(y, x, 15).all() or not window(y, x, 11).any()) for x in range(width)] for y in range(height)]


def harmonic(tp, fp, fn, eps):
    p, r = tp / (tp + fp + eps), tp / (tp + fn + eps)
    return 2 * p * r / (p + r + eps)


def pairs(values, mask):
    """Share of (tampered, authentic) pairs in the right order, a tie being half a pair."""
    ours, theirs = values[mask], values[~mask]
    if not len(ours) or not len(theirs):
        return math.nan
    won = sum(float((v > theirs).sum()) + 0.5 * float((v == theirs).sum()) for v in ours)
    return won / (len(ours) * len(theirs))


def derived(g: Golden) -> dict[str, dict[str, float]]:
    """Protocol -> figure -> the score of the one picture; nan where it has none."""
    half, any_ = g.mask > 127.5, g.mask != 0
    tp, fp, fn, tn = counts(g.map > 0.5, half)
    n = tp + fp + fn + tn
    eps = 1e-8
    auc, reverse = pairs(g.map, half), pairs(np.float32(1) - g.map, half)
    paper = {
        "IoU": tp / (tp + fp + fn + eps),
        "P": tp / (tp + fp + eps),
        "R": tp / (tp + fn + eps),
        "F1": harmonic(tp, fp, fn, eps),
        "AUC": auc,
    }
    benco = {"F1": paper["F1"], "IoU": paper["IoU"], "accuracy": (tp + tn) / n, "AUC": auc if half.any() else 0.0}
    a, b, c, _ = counts(np.float32(1) - g.map > 0.5, half)
    permuted = {
        "F1": max(paper["F1"], harmonic(fn, tn, tp, eps)),
        "IoU": max(paper["IoU"], a / (a + b + c + eps)),
        "accuracy": max(tp + tn, fp + fn) / n,
        "AUC": max(auc, reverse) if half.any() else 0.0,
    }
    xp, xn, yn, _ = counts((g.map * np.float32(255)).astype(np.uint8) > 127.5, any_)
    mvss = {"F1": 1.0 if xp + xn + yn == 0 else 2 * xp / (2 * xp + xn + yn + 1e-6)}
    p, q, r, s = counts(g.map > 0.5, any_)

    def both(tp, fp, fn, tn):
        return (tp / max(1, tp + fp + fn) + tn / max(1, tn + fp + fn)) / 2

    catnet = {"mIoU": both(p, q, r, s), "p-mIoU": max(both(p, q, r, s), both(r, s, p, q))}
    dp, dr = p / (p + q + eps), p / (p + r) if p + r else math.nan
    doctamper = {
        "IoU": p / (p + q + r) if p + q + r else math.nan,
        "P": dp,
        "R": dr,
        "F1": 2 * dp * dr / (dp + dr + eps),
    }
    if math.isnan(dr):
        doctamper["R"] = doctamper["F1"] = math.nan
    empty = not half.any()
    clean = {
        "IoU": math.nan if empty else tp / (tp + fp + fn),
        "P": math.nan if empty else (tp / (tp + fp) if tp + fp else 0.0),
        "R": math.nan if empty else tp / (tp + fn),
        "F1": math.nan if empty else 2 * tp / (2 * tp + fp + fn),
        "AUC": auc,
    }
    return {
        "paper": paper, "benco": benco, "benco-permute": permuted, "mvss": mvss, "catnet": catnet, "clean": clean,
        "trufor": trufor(g, half), **{f"doctamper-{v}": doctamper for v in VARIANTS},
    }  # fmt: skip


VARIANTS = ("official-asrun", "intended", "first", "final")


def trufor(g: Golden, half):
    kept = band(half)

    def f1(tp, fp, fn):
        return 2 * tp / max(2 * tp + fp + fn, 1e-32)

    def better(called):
        tp, fp, fn, tn = counts(called, half, kept)
        return max(f1(tp, fp, fn), f1(fn, tn, tp)), (tp, fp, fn, tn)

    fixed, (tp, fp, fn, tn) = better(g.map > 0.5)
    if tp + fp + fn == 0 or fp + fn + tn == 0:
        fixed = math.nan
    levels = sorted({float(v) for v, k in zip(g.map.ravel(), np.ravel(kept), strict=True) if k})
    # Every value is a threshold; by arrays, because loops over pixels would take minutes.
    flat, label, keep = g.map.ravel(), half.ravel(), np.ravel(kept)
    best = math.nan
    for level in levels:
        called = flat[keep] > np.float32(level)
        t, o = label[keep], called
        a, b, c, d = (int(x.sum()) for x in (o & t, o & ~t, ~o & t, ~o & ~t))
        value = max(f1(a, b, c), f1(c, d, a))
        best = value if math.isnan(best) else max(best, value)
    return {"F1 fixed": fixed, "F1 best": best}
