"""Pixel metrics as pure functions: counts first, then IoU, precision, recall, F1 and AUC; folders of predictions."""

from omni_iml.metrics.auc import roc_auc, roc_auc_from_histograms
from omni_iml.metrics.bootstrap import Estimate, bootstrap_mean
from omni_iml.metrics.counts import IGNORED, Counts, count_pixels
from omni_iml.metrics.folder_score import FolderScore, PictureScore, Problem
from omni_iml.metrics.folders import score_folders
from omni_iml.metrics.reductions import f1, false_alarm_area, iou, precision, recall

__all__ = [
    "IGNORED",
    "Counts",
    "Estimate",
    "FolderScore",
    "PictureScore",
    "Problem",
    "bootstrap_mean",
    "count_pixels",
    "f1",
    "false_alarm_area",
    "iou",
    "precision",
    "recall",
    "roc_auc",
    "roc_auc_from_histograms",
    "score_folders",
]
