"""How a command ends when something goes wrong: one sentence on standard error and an exit code, no traceback."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer

from omni_iml.inference.session import MissingRuntime
from omni_iml.types import OmniError, UnreadableModel

SOME_UNREADABLE = 1
WRONG_USAGE = 2
FAILED = 3
"""Neither the pictures nor the options are to blame: a full disk, a defect of ours."""
INTERRUPTED = 130
PIPE_CLOSED = 141

Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
"""What `exit_codes` is told."""


class WrongUsage(OmniError):  # noqa: N818 - named for what the user did
    """Options or sources that make no sense together."""


class PipeClosed(Exception):  # noqa: N818 - it is news, not an error
    """Whoever read our standard output has gone, as ``| head -1`` does."""


def emit(line: str) -> None:
    """Print one line of results on standard output, at once.

    Args:
        line: text without its line end.

    Raises:
        PipeClosed: nobody reads any more.
    """
    try:
        print(line, flush=True)
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.EINVAL):  # EINVAL is how Windows says it
            raise PipeClosed from error
        raise


def describe(error: BaseException, debug: bool) -> str:
    """What is said of an error.

    Args:
        error: what was raised.
        debug: whether the traceback is wanted.

    Returns:
        "Error: " and the error's sentence, free of control characters; with ``debug`` the traceback.
    """
    from omni_iml.report.wording import printable

    if debug:
        return "".join(traceback.format_exception(error)).rstrip()
    return f"Error: {printable(str(error) or type(error).__name__)}"


@contextmanager
def exit_codes(debug: bool) -> Iterator[None]:
    """Turn what a command raises into a sentence and an exit code.

    Args:
        debug: print tracebacks.

    Yields:
        Nothing; the command's work goes inside.

    Raises:
        typer.Exit: in place of every other exception: 2 for wrong usage (a missing model file or
            runtime included), 3 for other failures, 130 after Ctrl-C, 141 when standard output was closed.
    """
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt as error:
        print("Stopped.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from error
    except PipeClosed as error:
        _drop_stdout()
        raise typer.Exit(PIPE_CLOSED) from error
    except (WrongUsage, UnreadableModel, MissingRuntime) as error:
        print(describe(error, debug), file=sys.stderr)
        raise typer.Exit(WRONG_USAGE) from error
    except (OmniError, OSError) as error:
        print(describe(error, debug), file=sys.stderr)
        raise typer.Exit(FAILED) from error
    except Exception as error:
        print(describe(error, debug), file=sys.stderr)
        if not debug:
            kind = type(error).__name__
            print(f"This is a defect of omni-iml ({kind}); --debug shows where it happened.", file=sys.stderr)
        raise typer.Exit(FAILED) from error


@contextmanager
def needs(extra: str, command: str) -> Iterator[None]:
    """Turn a missing library into a sentence that names the extra that brings it.

    Args:
        extra: name of the extra.
        command: name of the command, for the sentence.

    Yields:
        Nothing; the imports go inside.

    Raises:
        WrongUsage: a module is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise WrongUsage(
            f"omni-iml {command}: {error.name} is not installed; run pip install 'omni-iml[{extra}]'."
        ) from error


def _drop_stdout() -> None:
    """Point standard output at nothing, so that the interpreter's last flush finds no closed pipe."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
