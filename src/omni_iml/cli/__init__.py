"""The command `omni-iml`: one file a command, imported when it is called for.

To add a command, write ``cli/<name>.py`` with a function that typer can read, and add a line to `COMMANDS`. Such a file
imports what is heavy (ONNX Runtime, OpenCV, torch) inside the function: ``omni-iml --help`` reads every one of them.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from omni_iml.version import __version__

COMMANDS = {
    "detect": "omni_iml.cli.detect:detect",
    "explain": "omni_iml.cli.explain:explain",
    "refine": "omni_iml.cli.refine:refine",
    "score": "omni_iml.cli.score:score",
    "evaluate": "omni_iml.cli.evaluate:evaluate",
    "explain-train": "omni_iml.cli.explain_train:explain_train",
    "evaluate-explanations": "omni_iml.cli.evaluate_explanations:evaluate_explanations",
    "models": "omni_iml.cli.models:models",
    "train": "omni_iml.cli.train:train",
    "export": "omni_iml.cli.export:export",
    "inspect": "omni_iml.cli.inspect:inspect",
    "visualize": "omni_iml.cli.visualize:visualize",
    "synth": "omni_iml.cli.synth:synth",
    "data": "omni_iml.cli.data:data",
    "annotate": "omni_iml.cli.annotate:annotate",
}
"""Name -> "module:function", or "module:group" of several commands, in the order in which the help lists them."""


class _LazyGroup(TyperGroup):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            if Path(cmd_name).exists():
                ctx.fail(f"{cmd_name} is no command; to look at it, say: omni-iml detect {cmd_name}")
            return None
        if cmd_name not in self.commands:
            module, name = COMMANDS[cmd_name].split(":")
            found = getattr(import_module(module), name)
            if not isinstance(found, typer.Typer):
                single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
                single.command(name=cmd_name)(found)
                found = single
            self.commands[cmd_name] = get_command(found)
        return self.commands[cmd_name]


app = typer.Typer(
    name="omni-iml",
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"omni-iml {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Find where a picture was edited: mask, score and verdict, offline, on an ordinary computer."""


def main() -> None:
    """Run the command line; the entry point of the installed command."""
    if not sys.warnoptions:  # what a library warns a programmer of (a damaged tag, say) is no message for a user
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal or the pipe cannot show must not end a run over a thousand pictures.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()
