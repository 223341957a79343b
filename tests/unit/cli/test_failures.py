import errno
import io
import sys

import pytest
import typer

from omni_iml.cli.failures import PipeClosed, WrongUsage, describe, emit, exit_codes
from omni_iml.types import OmniError, UnreadableModel


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (WrongUsage("no sense."), 2, "Error: no sense."),
        (UnreadableModel("m.onnx: gone."), 2, "Error: m.onnx: gone."),
        (OmniError("broken."), 3, "Error: broken."),
        (OSError(28, "No space left on device", "out/x"), 3, "No space left on device"),
        (KeyboardInterrupt(), 130, "Stopped."),
        (ZeroDivisionError("oops"), 3, "This is a defect of omni-iml (ZeroDivisionError); --debug"),
        (ZeroDivisionError(), 3, "Error: ZeroDivisionError"),
    ],
)
def test_exit_code_and_sentence(error, code, words, capsys):
    with pytest.raises(typer.Exit) as caught, exit_codes(debug=False):
        raise error
    assert caught.value.exit_code == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_debug_shows_the_traceback_and_keeps_the_code(capsys):
    with pytest.raises(typer.Exit) as caught, exit_codes(debug=True):
        raise WrongUsage("no sense.")
    assert caught.value.exit_code == 2
    assert "Traceback" in capsys.readouterr().err


def test_exits_pass_through():
    with pytest.raises(typer.Exit) as caught, exit_codes(debug=False):
        raise typer.Exit(1)
    assert caught.value.exit_code == 1


def test_control_characters_do_not_reach_the_terminal():
    assert describe(OmniError("\x1b]0;title\x07.jpg: bad"), debug=False) == "Error: \ufffd]0;title\ufffd.jpg: bad"


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EINVAL])
def test_a_closed_pipe_is_recognised(monkeypatch, number):
    class Closed(io.StringIO):
        def flush(self):
            raise OSError(number, "gone")

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(PipeClosed):
        emit("line")
    with pytest.raises(typer.Exit) as caught, exit_codes(debug=False):
        emit("line")
    assert caught.value.exit_code == 141


def test_other_output_errors_are_not_swallowed(monkeypatch):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OSError, match="full"):
        emit("line")
