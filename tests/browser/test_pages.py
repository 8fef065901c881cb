"""Every dashboard as visitors meet it: soon, small, light and dark, on a tablet, by keyboard, without the network."""

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from racnet_tools.apps.widgets.masthead import DASHBOARDS

TABLET = {"width": 820, "height": 1180}
HARMLESS = re.compile(r"version|deprecat", re.I)


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.fixture(params=list(DASHBOARDS))
def name(request):
    return request.param


NAMELESS = """() => {
  const named = (e) => (e.getAttribute('aria-label') || [...(e.labels ?? [])].some(l => l.textContent.trim())
    || e.getAttribute('aria-labelledby') || e.textContent.trim() || e.title || e.alt);
  return [...document.querySelectorAll('.rn-app :is(button, input, select, textarea, [role=img], [role=slider])')]
    .filter(e => e.offsetParent !== null && e.type !== 'hidden' && !e.closest('.modebar'))
    .filter(e => !named(e)).map(e => e.outerHTML.slice(0, 160));
}"""


def fits(page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".rn-plot:visible").first.bounding_box()["width"] > 0.6 * min(width, 960)


def undisturbed(server, visited, theme: str) -> None:
    """Nothing came from elsewhere, nothing complained, and the page has the colours asked for."""
    outside = [url for url in visited.asked if not url.startswith((server.home, "blob:", "data:"))]
    assert outside == []
    assert [error for error in visited.errors if not HARMLESS.search(error)] == []
    assert visited.page.locator(".rn-notice .error").count() == 0
    ground = visited.page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
    assert (brightness < 80) == (theme == "dark")


def test_it_is_seen_soon_in_little_memory_and_names_everything(server, visit, name, capsys):
    """Times are printed: `benchmarks/dashboards.py` measures them. The limit is for a page that hangs."""
    server.wait(lambda: server.health()["ready"] >= 4)
    visited = visit(server.page(name))
    seen, live = visited.plotted(), visited.live()
    visited.page.wait_for_timeout(1500)
    undisturbed(server, visited, "light")
    fits(visited.page, 1280)

    # Kernels, those of visitors before may be just ending: small, and without TensorFlow
    memory = 0.0
    for pid in server.kernels():
        try:
            maps = Path(f"/proc/{pid}/maps").read_text()
            memory = max(memory, resident_mb(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
        assert "tensorflow" not in maps
        assert "matplotlib" not in maps
    assert 20 < memory < 200
    with capsys.disabled():
        print(f"\n{name}: plot seen after {seen:.2f} s, live {live:.2f} s; largest kernel {memory:.0f} MB", end="")
    assert seen < 20

    # Names, text alternatives, keyboard
    assert visited.page.evaluate(NAMELESS) == []
    for plot in visited.page.locator(".rn-plot-area:visible").all():
        words = plot.get_attribute("aria-label")
        assert len(words) > 40, words
        assert re.search(r"\d", words), "a text alternative tells numbers"
    controls = visited.page.locator(".rn-controls :is(button, select, input:not([type=file])):visible:enabled")
    reached = set()
    for _ in range(80):
        visited.page.keyboard.press("Tab")
        reached.add(
            visited.page.evaluate(
                "document.activeElement?.closest('.rn-controls') ? document.activeElement.outerHTML : ''"
            )
        )
    assert len(reached - {""}) >= min(30, controls.count() // 2)


def test_it_fits_a_tablet_in_the_dark(server, visit, name):
    visited = visit(server.page(name), viewport=TABLET, color_scheme="dark")
    visited.live()
    visited.page.wait_for_timeout(1000)
    undisturbed(server, visited, "dark")
    fits(visited.page, 820)


def test_the_redshift_explorer_shows_what_is_measured_beside_the_papers_network(server, visit):
    visited = visit(server.page("redshift"))
    visited.live()
    text = visited.page.locator(".rn-main").inner_text()
    assert all(name in text for name in ("racnet-survey", "racnet-class", "racnet-dataset1"))
    assert re.search(r"measures z\s=\s[\d.]+\s±\s[\d.]+", text)
    told = [plot.get_attribute("aria-label") for plot in visited.page.locator(".rn-plot-area:visible").all()]
    assert any("Redshifts that racnet-survey measures in 80" in words for words in told)


def test_the_start_page_leads_to_every_dashboard(server, visit):
    page = visit(server.home)
    for name, title in DASHBOARDS.items():
        link = page.page.get_by_role("link", name=title)
        assert link.get_attribute("href").endswith(f"/voila/render/{name}.ipynb")
    assert page.page.get_by_role("heading", level=1).inner_text() == "RAC-Net dashboards"


def grey(picture: bytes, width: int) -> np.ndarray:
    """A picture without its margins and what stands in them, scaled to a width that is the same for all."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    image = image.crop((70, 0, image.width - 80, image.height))
    return np.asarray(image.resize((width, image.height)), float)


def held_back(page, address: str) -> list:
    """Requests that wait until they are continued."""
    waiting = []
    page.route(address, lambda route: waiting.append(route))
    return waiting


@pytest.mark.parametrize(
    ("name", "theme", "alike"),
    [("attention", "dark", 0.8), ("redshift", "light", 0.7), ("training_lab", "light", 0.75)],
)
def test_what_is_seen_first_is_what_stands_later(server, visit, name, theme, alike):
    """The sketch of the page puts curves, maps and words where plotly.js puts them, in the same colours."""
    server.wait(lambda: server.health()["ready"] >= 4)
    visited = visit("about:blank", color_scheme=theme)
    waiting = held_back(visited.page, "**/plotly-*.js")
    visited.page.goto(server.page(name), wait_until="commit")
    visited.page.wait_for_selector("#racnet-first[data-painted]")
    first = visited.page.locator("#racnet-first canvas").screenshot()
    visited.page.wait_for_timeout(500)  # whatever else would come before plotly.js
    while not waiting:
        visited.page.wait_for_timeout(200)
    for request in waiting:
        request.continue_()
    visited.live()
    visited.page.wait_for_timeout(700)
    later = visited.page.locator(".rn-plot-area >> visible=true").first.screenshot()
    a, b = grey(first, 700), grey(later, 700)
    rows = min(len(a), len(b))
    assert abs(len(a) - len(b)) < 40
    found = np.corrcoef(a[:rows].ravel(), b[:rows].ravel())[0, 1]
    assert found > alike
