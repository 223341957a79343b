"""``python -m omni_iml.cli``: the command where its script is not on the path."""

from omni_iml.cli import main

main()
