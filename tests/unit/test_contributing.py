"""The steps without make install what make installs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_steps_without_make_install_the_same() -> None:
    makefile, guide = ((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "CONTRIBUTING.md"))
    without = guide.replace("\\\n", " ").split("### Without make")[1]
    installed = re.findall(r"pip install (.*)", without)
    gradio = re.search(r"GRADIO := (.*)", makefile.replace("\\\n", " "))
    extras = re.search(r"-e '(\..*?)'", makefile)
    assert gradio
    assert extras
    assert installed[0] == f'-c constraints.txt -e "{extras[1]}"'
    assert installed[1].split() == ["-c", "constraints.txt", "--no-deps", *gradio[1].split()]
