"""The review page: picture and highlighted mask beside the model's text and a copy to correct, driven by keys."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from omni_iml.annotate.highlighting import highlight
from omni_iml.annotate.queue import Queue
from omni_iml.annotate.reviewing import (
    Item,
    artifacts_from_text,
    artifacts_to_text,
    keep_review,
    review_by,
)
from omni_iml.annotate.scene import read_scene
from omni_iml.annotate.schema import Instance
from omni_iml.annotate.steps import objects_of
from omni_iml.mllm.pictures import reduced
from omni_iml.types import POSITIONS, OmniError

_LONGEST_SIDE = 1200

KEYS = """
<script>
document.addEventListener("keydown", (event) => {
  const writing = /^(TEXTAREA|INPUT)$/.test(event.target.tagName) && event.target.type !== "radio";
  if (event.key === "Escape") { event.target.blur(); return; }
  if (writing || event.ctrlKey || event.altKey || event.metaKey) return;
  const press = (id) => { document.getElementById(id)?.click(); event.preventDefault(); };
  const buttons = { a: "accept", r: "reject", j: "next", k: "previous" };
  if (event.key in buttons) press(buttons[event.key]);
  else if (event.key === "e") { document.querySelector("#artifacts textarea")?.focus(); event.preventDefault(); }
  else if (/^[0-5]$/.test(event.key)) {
    document.querySelectorAll("#quality input[type=radio]")[Number(event.key)]?.click(); event.preventDefault();
  }
});
</script>
"""

_HELP = (
    "Keys: **a** accept, or save the correction · **r** reject · **0**-**5** quality · **e** edit · **Esc** leave a \
field · **j** next · **k** previous. Accepting corrected text keeps it beside the model's, never over it."
)


def review_page(queue: Queue, items: Sequence[Item], reviewer: str) -> Any:
    """Build the page.

    Args:
        queue: of a work directory.
        items: what is reviewed, at least one.
        reviewer: who reviews.

    Returns:
        ``gradio.Blocks``; `serve` shows it.

    Raises:
        ModuleNotFoundError: the extra ``review`` is not installed.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
    import gradio as gr

    pictures = lru_cache(maxsize=8)(lambda index: _pictures(queue, items[index]))

    def shown(index: int) -> list[Any]:
        item = items[index]
        before = review_by(queue, item, reviewer)
        text = item.text
        edited = before.correction if before and before.correction else text
        done = sum(review_by(queue, each, reviewer) is not None for each in items)
        state = f"**{before.decision}**" if before else "not reviewed"
        head = f"### {index + 1} of {len(items)} ({done} reviewed) · {item.name} · {item.domain.replace('_', ' ')}"
        first, second = pictures(index)
        return [
            index,
            f"{head} · instance {item.instance + 1} · {state}",
            first,
            second,
            _model_text(text),
            edited.tampered_region,
            edited.absolute_position,
            edited.relative_position,
            artifacts_to_text(edited.artifacts),
            None if before is None or before.quality is None else str(before.quality),
        ]

    def move(index: int, by: int) -> list[Any]:
        return shown(min(max(index + by, 0), len(items) - 1))

    def decide(index: int, accepted: bool, *fields: Any) -> list[Any]:
        region, position, relative, artifacts, quality = fields
        try:
            text = Instance.model_validate(
                {
                    "Tampered Region": region,
                    "Absolute Position": position,
                    "Relative Position": relative,
                    "Artifacts": artifacts_from_text(artifacts),
                    "box": items[index].text.box,
                }
            )
            if artifacts == artifacts_to_text(items[index].text.artifacts):  # line breaks that the field cannot show
                text = text.model_copy(update={"artifacts": items[index].text.artifacts})
            score = None if quality is None else int(quality)
            keep_review(queue, items[index], reviewer, accepted=accepted, quality=score, text=text)
        except (ValueError, ValidationError) as error:
            raise gr.Error(str(error), print_exception=False) from None
        return move(index, 1)

    with gr.Blocks(title="omni-iml: review", delete_cache=(3600, 3600)) as page:
        index = gr.State(0)
        head = gr.Markdown(elem_id="head")
        with gr.Row():
            first = gr.Image(label="Picture", interactive=False, elem_id="picture")
            second = gr.Image(label="Highlighted", interactive=False, elem_id="highlighted")
        with gr.Row():
            model = gr.Markdown(elem_id="model")
            with gr.Column():
                region = gr.Textbox(label="Tampered region", elem_id="region")
                position = gr.Dropdown(list(POSITIONS), label="Absolute position", elem_id="position")
                relative = gr.Textbox(label="Relative position", elem_id="relative")
                artifacts = gr.Textbox(label="Artifacts, title: description", lines=6, elem_id="artifacts")
                quality = gr.Radio([str(score) for score in range(6)], label="Quality", elem_id="quality")
        with gr.Row():
            previous = gr.Button("Previous (k)", elem_id="previous")
            reject = gr.Button("Reject (r)", variant="stop", elem_id="reject")
            accept = gr.Button("Accept or save (a)", variant="primary", elem_id="accept")
            following = gr.Button("Next (j)", elem_id="next")
        gr.Markdown(_HELP)
        fields = [region, position, relative, artifacts, quality]
        everything = [index, head, first, second, model, *fields]
        page.load(lambda: shown(_first_open(queue, items, reviewer)), None, everything)
        previous.click(lambda at: move(at, -1), index, everything)
        following.click(lambda at: move(at, 1), index, everything)
        accept.click(lambda at, *said: decide(at, True, *said), [index, *fields], everything)
        reject.click(lambda at, *said: decide(at, False, *said), [index, *fields], everything)
    return page


def serve(page: Any, *, host: str = "127.0.0.1", port: int | None = None, block: bool = True) -> str:
    """Show the page.

    Args:
        page: from `review_page`.
        host: address to listen at; anyone who can reach it can review.
        port: None for a free one from 7860.
        block: wait until it is stopped.

    Returns:
        The page's address.
    """
    _, address, _ = page.launch(
        server_name=host, server_port=port, head=KEYS, quiet=True, prevent_thread_lock=True, share=False
    )
    if block:
        print(f"The review page is at {address} (Ctrl-C ends it).", flush=True)
        page.block_thread()
    return str(address)


def _first_open(queue: Queue, items: Sequence[Item], reviewer: str) -> int:
    unseen = (index for index, item in enumerate(items) if review_by(queue, item, reviewer) is None)
    return next(unseen, 0)


def _pictures(queue: Queue, item: Item) -> tuple[Any, Any]:
    job = json.loads(queue.read("SELECT job FROM pictures WHERE id = ?", item.picture)[0][0])
    try:
        scene = read_scene(Path(job["picture"]), Path(job["mask"]), max_instances=10**6)
    except OmniError:  # moved since; the text can still be read
        return None, None
    objects = objects_of(queue, item.picture)
    whole = queue.facts()["method"] == "single"  # its instances say nothing of regions
    groups = [each["regions"] for each in objects] if whole else [objects[item.instance]["regions"]]
    return reduced(scene.pixels, _LONGEST_SIDE), reduced(highlight(scene, groups), _LONGEST_SIDE)


def _model_text(text: Instance) -> str:
    lines = [
        f"**Tampered region:** {_escaped(text.tampered_region)}",
        f"**Absolute position:** {text.absolute_position}",
        f"**Relative position:** {_escaped(text.relative_position)}",
        *(f"**{_escaped(title)}:** {_escaped(description)}" for title, description in text.artifacts.items()),
    ]
    return "The model's text\n\n" + "\n\n".join(lines)


def _escaped(text: str) -> str:
    """What a model wrote is text, never Markdown or HTML."""
    return "".join(f"\\{character}" if character in r"\`*_{}[]()<>#+-.!|$~" else character for character in text)
