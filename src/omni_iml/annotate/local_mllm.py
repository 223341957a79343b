"""An annotator in this process: a multimodal model asked in words for the form, since nothing holds it to one."""

from __future__ import annotations

from omni_iml.annotate.annotator import Answer, Question, in_form
from omni_iml.mllm import Mllm


class LocalMllm:
    """Asks a model with the form of the answer spelt out in the prompt.

    Args:
        mllm: of `omni_iml.mllm.opening.open_model`. Called from several threads, which it
            puts in a row itself.
    """

    name = "local"

    def __init__(self, mllm: Mllm) -> None:
        self.model = mllm.model
        self._mllm = mllm

    def ask(self, question: Question) -> Answer:
        """Answer one question.

        Args:
            question: what is asked.

        Returns:
            The answer with its tokens.

        Raises:
            Unusable: the answer is cut short, repeats itself, or is not in the form.
            NoAnswer: there is none.
        """
        return in_form(self._mllm.reply(question.query(spell_form=True)), question)
