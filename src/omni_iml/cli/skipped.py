"""Sources that a command could not use: each is named on standard error, and all are counted."""

from __future__ import annotations

import logging
import sys
from types import TracebackType

from omni_iml.report.wording import printable


class Skipped(logging.Handler):
    """Prints what `omni_iml.data` warns of while a command runs, a line each, and counts the lines.

    Args:
        quiet: count only.

    Attributes:
        count: lines so far.
    """

    def __init__(self, quiet: bool) -> None:
        super().__init__(logging.WARNING)
        self.count, self.quiet = 0, quiet

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line in."""
        self.count += 1
        if not self.quiet:
            print(printable(record.getMessage()), file=sys.stderr)

    def __enter__(self) -> Skipped:
        logging.getLogger("omni_iml.data").addHandler(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        logging.getLogger("omni_iml.data").removeHandler(self)
