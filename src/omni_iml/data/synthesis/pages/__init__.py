"""Rendered pages: receipts, forms, letters, tables and cards in many languages, every word of which is known."""

from omni_iml.data.synthesis.pages.draw import KINDS, draw_page

__all__ = ["KINDS", "draw_page"]
