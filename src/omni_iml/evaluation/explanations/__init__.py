"""Explanations against the truth: every field by its own metric, whole strings, and both under distortion."""
