"""Parts of a page of the documentation that a command writes, between two marks."""

from __future__ import annotations


def marks(name: str) -> tuple[str, str]:
    """The lines that stand before and after the part of that name."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def replaced(text: str, name: str, body: str, page: str) -> str:
    """A page with the part between its marks written anew.

    Args:
        text: of the page.
        name: of the part, in its marks.
        body: what is to stand there.
        page: its path, for the message.

    Raises:
        ValueError: the page lacks the marks.
    """
    begin, end = marks(name)
    before, first, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"{page}: has no lines {begin} and {end}; put them where the {name} belongs.")
    return f"{before}{begin}\n\n{body}\n{end}{after}"


def part(text: str, name: str, page: str) -> str:
    """What stands between the marks now, as it was given to `replaced`.

    Raises:
        ValueError: the page lacks the marks.
    """
    begin, end = marks(name)
    _, first, rest = text.partition(begin)
    found, last, _ = rest.partition(end)
    if not first or not last:
        raise ValueError(f"{page}: has no lines {begin} and {end}; put them where the {name} belongs.")
    return found.removeprefix("\n\n").removesuffix("\n")
