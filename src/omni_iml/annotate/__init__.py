"""Structured explanations of forgeries: Omni-273k's format, its readers, and the pipeline that makes more of it."""

from omni_iml.annotate.checking import Problem, WrongAnnotations
from omni_iml.annotate.joining import Joined, join, pictures_below
from omni_iml.annotate.published import read_published
from omni_iml.annotate.schema import SCHEMA, Annotation, Instance, Provenance, Review, json_schema
from omni_iml.annotate.statistics import Statistics, report, statistics
from omni_iml.annotate.storage import read_rows, write_rows

__all__ = [
    "SCHEMA",
    "Annotation",
    "Instance",
    "Joined",
    "Problem",
    "Provenance",
    "Review",
    "Statistics",
    "WrongAnnotations",
    "join",
    "json_schema",
    "pictures_below",
    "read_published",
    "read_rows",
    "report",
    "statistics",
    "write_rows",
]
