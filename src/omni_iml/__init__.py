"""Omni-IML."""
