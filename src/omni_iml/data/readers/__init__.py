"""Readers of the data sets that the papers train and test on, and of a user's own.

A reader (`Reader`) is a sequence of entries (`Entry`): key, picture, mask, label. Nothing here needs torch.
"""

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.reader import Labels, Reader
from omni_iml.data.readers.registry import READERS, open_set, parse_set

__all__ = ["READERS", "Entry", "Labels", "Reader", "open_set", "parse_set"]
