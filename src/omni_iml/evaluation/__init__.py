"""Scores of a model: development benchmark, synthetic splits, calibration, the card."""
