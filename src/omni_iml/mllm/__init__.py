"""Multimodal language models behind one small interface: a query of text and pictures in, a reply out.

`omni_iml.annotate` and `omni_iml.explain` ask through it. Two back ends: `endpoint` (the OpenAI protocol) and `local`
(transformers, in this process). Nothing here imports torch until a local model is opened.
"""

from omni_iml.mllm.asking import (
    Denied,
    Mllm,
    NoAnswer,
    Overdue,
    Query,
    Refused,
    Reply,
    Temporary,
    TooFast,
    Unreachable,
    Unusable,
)

__all__ = [
    "Denied",
    "Mllm",
    "NoAnswer",
    "Overdue",
    "Query",
    "Refused",
    "Reply",
    "Temporary",
    "TooFast",
    "Unreachable",
    "Unusable",
]
