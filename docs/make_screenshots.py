"""Take the pictures of docs/dashboards.md: ``python docs/make_screenshots.py [NAME ...]``.

Serves the dashboards with the shipped samples alone, visits them with Chromium, and writes PNGs of few colours into
docs/dashboards/. One picture trains a small network first (some three minutes). Needs playwright and Pillow.
"""

import io
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from racnet_tools.resources import data_path

FOLDER = Path(__file__).resolve().parent / "dashboards"
SIZE, TABLET = {"width": 1280, "height": 800}, {"width": 820, "height": 1180}


def settle(page: Page, seconds: float = 2.5) -> None:
    """Wait."""
    page.wait_for_timeout(1000 * seconds)


def inspector_why(page: Page) -> None:
    """What the network looked at."""
    page.get_by_label("attention").check()
    page.get_by_label("occlusion").check()
    settle(page, 6)


def inspection(page: Page) -> None:
    """A quality by key."""
    page.get_by_role("button", name=re.compile("Visual inspection")).click()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Start").click()
    settle(page)
    page.locator("h1").click()
    page.keyboard.press("4")
    settle(page)
    page.get_by_role("button", name=re.compile("Visual inspection")).scroll_into_view_if_needed()
    page.mouse.move(800, 500)
    page.mouse.wheel(0, 2000)
    settle(page, 1)


def nearest(page: Page) -> None:
    """Templates over the spectrum."""
    page.get_by_role("button", name=re.compile("Nearest")).click()
    settle(page, 5)
    page.mouse.move(800, 500)
    page.mouse.wheel(0, 2000)
    settle(page, 1)


def refused(page: Page) -> None:
    """One good file, one damaged."""
    page.get_by_role("button", name=re.compile("Open other spectra")).click()
    page.get_by_label("Source").select_option("Upload")
    page.wait_for_selector(".rn-upload")
    good = data_path("samples", "spec-56944-SIMULATED_sp05-050.fits").read_bytes()
    files = [
        {"name": "mine.fits", "mimeType": "application/fits", "buffer": good},
        {"name": "damaged.fits", "mimeType": "application/fits", "buffer": good[:20_000]},
    ]
    page.locator("input[type=file]").set_input_files(files)
    settle(page, 4)


def train(page: Page) -> None:
    """A small network, to its end."""
    page.get_by_label("Spectra/epoch").fill("240")
    page.get_by_label("Epochs").fill("5")
    page.get_by_label("Name").fill("first-try")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => /Finished after/.test(document.querySelector('.rn-main').innerText)", timeout=600_000)
    settle(page, 4)


def confusion(page: Page) -> None:
    """The spectra behind the matrix."""
    settle(page, 3)
    page.get_by_role("button", name=re.compile("step by step")).click()
    page.get_by_role("button", name=re.compile("Confusion matrix")).click()
    settle(page, 15)
    page.get_by_role("button", name=re.compile("Confusion matrix")).evaluate("e => e.scrollIntoView()")
    settle(page, 1)


def forced(page: Page) -> None:
    """A whole block shut."""
    settle(page, 5)
    page.get_by_role("button", name="Force the whole block").click()
    page.get_by_text(re.compile(r"\d+ channels")).first.wait_for()
    page.mouse.move(800, 500)
    page.mouse.wheel(0, 560)
    settle(page, 1)


def point(page: Page) -> None:
    """The objects behind a point of the paper's network."""
    settle(page, 2)
    page.mouse.move(800, 500)
    page.mouse.wheel(0, 2000)
    settle(page, 1)
    page.locator(".rn-plot").nth(3).locator(".scatterlayer .trace").nth(3).locator("path.point").first.click(force=True)
    settle(page)
    page.get_by_text("Objects behind a point").or_(page.get_by_text("not given as")).first.scroll_into_view_if_needed()
    settle(page, 1)


def wrong_link(page: Page) -> None:
    """What a link that cannot be followed leads to."""
    settle(page, 3)


#: Picture: dashboard with the rest of its address, colours, size, what is done there.
PICTURES: dict[str, tuple[str, str, dict[str, int], Callable[[Page], None]]] = {
    "start": ("", "light", SIZE, settle),
    "inspector": ("inspector", "light", SIZE, settle),
    "inspector_why_dark": (
        "inspector#open=samples&spectrum=spec-56944-SIMULATED_sp05-050",
        "dark",
        SIZE,
        inspector_why,
    ),
    "inspector_inspection": ("inspector", "light", SIZE, inspection),
    "inspector_nearest": ("inspector", "light", SIZE, nearest),
    "inspector_refused": ("inspector", "light", SIZE, refused),
    "inspector_wrong_link": ("inspector#open=folder&path=../secret&z=99", "light", SIZE, wrong_link),
    "inspector_tablet": ("inspector", "light", TABLET, settle),
    "lab_steps_dark": ("training_lab", "dark", SIZE, settle),
    "lab_trained": ("training_lab", "light", SIZE, train),
    "lab_confusion": ("training_lab", "light", SIZE, confusion),
    "attention": ("attention", "light", SIZE, lambda page: settle(page, 6)),
    "attention_forced_dark": ("attention", "dark", SIZE, forced),
    "redshift": ("redshift", "light", SIZE, settle),
    "redshift_point_dark": ("redshift", "dark", SIZE, point),
    "redshift_tablet": ("redshift", "light", TABLET, settle),
}


def address(home: str, place: str) -> str:
    """Address of a place on the server."""
    if not place:
        return home
    name, _, view = place.partition("#")
    return f"{home}voila/render/{name}.ipynb" + (f"#{view}" if view else "")


def main(names: list[str]) -> None:
    """Take the pictures of these names, all by default."""
    FOLDER.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = f"http://localhost:{port}/"
    chromium = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "racnet_tools.cli", "dashboards", "--no-browser", "--port", str(port)]
        server = subprocess.Popen([*command, "--spectra", str(data_path("samples")), "--work", work])
        try:
            while True:
                try:
                    urllib.request.urlopen(home, timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.3)
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
                for name in names or PICTURES:
                    place, colours, size, act = PICTURES[name]
                    page = browser.new_context(viewport=size, color_scheme=colours).new_page()
                    page.set_default_timeout(60_000)
                    page.goto(address(home, place))
                    if place:
                        page.wait_for_selector(".rn-plot[data-painted]")
                    act(page)
                    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                    image.quantize(64, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
                    print(name, (FOLDER / f"{name}.png").stat().st_size // 1000, "kB", flush=True)
                    page.close(run_before_unload=True)
                browser.close()
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main(sys.argv[1:])
