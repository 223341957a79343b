from __future__ import annotations

import pytest

from omni_iml.mllm import NoAnswer, Query, Reply, TooFast
from omni_iml.mllm.patience import LONGEST_PAUSE, Patience, ask


class Busy:
    backend, model = "endpoint", "busy"

    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.asked = 0

    def reply(self, query: Query) -> Reply:
        self.asked += 1
        if self.asked > 1:
            return Reply("A cat.")
        raise TooFast("the service asks for fewer questions", self.wait)


@pytest.mark.parametrize("wait", [86400.0, LONGEST_PAUSE + 1, float("inf")])
def test_a_pause_that_is_too_long_is_not_made(wait: float) -> None:
    waits: list[float] = []
    model = Busy(wait)
    with pytest.raises(NoAnswer, match=rf"a pause of {wait:.0f} s, and 60 s are waited at most; ask later") as raised:
        ask(model, Query("?"), Patience(3), waits.append)
    assert (waits, model.asked, raised.value.attempts) == ([], 1, 1)


def test_the_longest_pause_is_made() -> None:
    waits: list[float] = []
    assert ask(Busy(LONGEST_PAUSE), Query("?"), Patience(3), waits.append) == (Reply("A cat."), 2)
    assert waits == [LONGEST_PAUSE]
