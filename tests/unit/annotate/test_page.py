"""The review page in headless Chromium, driven by the keyboard alone."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from omni_iml.annotate.exporting import export
from omni_iml.annotate.openai_chat import OpenAIChat
from omni_iml.annotate.reviewing import items
from omni_iml.annotate.running import Run

pytest.importorskip("gradio", reason="the extra named review is not installed")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="there is no Chromium with its driver here")


@pytest.fixture
def browser():
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--window-size=1300,1400",
        "--disable-gpu",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def wait_for(check, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if value := check():
                return value
        except Exception:
            pass
        time.sleep(0.1)
    raise AssertionError("the page did not come to it")


@pytest.mark.slow
def test_reviewing_by_keyboard(server, make_job, make_work, browser):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    from omni_iml.annotate.page import review_page, serve

    work = make_work(make_job(boxes=((10, 10, 30, 30), (90, 50, 115, 80))), make_job("b.png"))
    Run(work, OpenAIChat("m", base_url=server.url)).go()
    texts = [item.text for item in items(work.queue)]
    page = review_page(work.queue, items(work.queue), "kim")
    browser.get(serve(page, block=False))

    def find(selector):
        return browser.find_element(By.CSS_SELECTOR, selector)

    def at(number):
        wait_for(lambda: f"{number} of 3" in find("#head").text)
        wait_for(lambda: find("#region textarea").get_attribute("value") == texts[number - 1].tampered_region)

    def press(*keys):
        find("body").send_keys(*keys)

    at(1)
    for image in ("#picture img", "#highlighted img"):
        wait_for(lambda image=image: browser.execute_script("return arguments[0].naturalWidth", find(image)) == 120)
    assert "The texture" not in find("#model").text  # what was removed is not shown
    assert "The outline is cut hard" in find("#model").text

    press("4")
    wait_for(lambda: find("#quality input[value='4']").is_selected())
    press("a")
    at(2)
    press("e")
    field = find("#artifacts textarea")
    wait_for(lambda: browser.switch_to.active_element == field)
    field.send_keys(Keys.END, Keys.ENTER, "Depth artifacts: It floats above the floor, said r.")
    field.send_keys(Keys.ESCAPE)
    press("5")
    wait_for(lambda: find("#quality input[value='5']").is_selected())
    press("a")
    at(3)
    press("k")
    at(2)
    wait_for(lambda: "It floats" in find("#artifacts textarea").get_attribute("value"))
    assert "It floats" not in find("#model").text
    press("j")
    at(3)
    press("r")
    wait_for(lambda: "rejected" in find("#head").text)

    first, second = export(work.queue)
    assert [(r.instance, r.decision, r.quality) for r in first.reviews] == [(0, "accepted", 4), (1, "corrected", 5)]
    assert first.reviews[1].correction.artifacts["Depth artifacts"] == "It floats above the floor, said r."
    assert first.instances == tuple(texts[:2])
    assert [r.decision for r in second.reviews] == ["rejected"]

    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    addresses = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    outside = [a for a in addresses if not a.startswith(("http://127.0.0.1:", "data:", "blob:", "about:", "chrome"))]
    assert addresses
    assert outside == []
    page.close()
