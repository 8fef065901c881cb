"""How soon a spectrum is seen: plotly's FigureWidget against the toolkit's PlotView, side by side in one run.

``python benchmarks/dashboards.py [--visits N]`` needs Chromium and the package playwright. Each way is a notebook of
the same content (imports of a viewer, a spectrum of 3,909 pixels twice, three controls), opened in a fresh profile,
with a kernel ready and without one. Printed are medians by the page's own clock: until a plot is seen, until the live
plot stands and controls answer, and the kernel's memory.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

COMMON = """
import numpy as np
import ipywidgets as w
from racnet_tools.inference.classifier import Classifier
Classifier("racnet-class")
x = np.linspace(3700, 9100, 3909)
y = np.random.default_rng(1).normal(1, 0.05, 3909).astype("f4")
controls = [w.Dropdown(description="Preset", options=["a", "b"]), w.Text(description="z"), w.Button(description="Next")]
"""
FIGUREWIDGET = """
import plotly.graph_objects as go
figure = go.FigureWidget([go.Scatter(x=x, y=y), go.Scatter(x=x, y=0.5 * y)])
w.HBox([w.VBox(controls), figure])
"""
PLOTVIEW = """
from racnet_tools.apps.frame import Frame, Notice, ShowPython
from racnet_tools.apps.widgets import PlotView
view = PlotView()
lines = [{"type": "scatter", "mode": "lines", "x": x, "y": k * y} for k in (1, 0.5)]
view.show({"data": lines, "layout": {}}, "two spectra")
Frame("Spectrum inspector", controls=controls, main=[view], notice=Notice(), python=ShowPython())
"""
#: What stands on the page when a plot is seen, and when it is alive.
SEEN = {True: "#racnet-first[data-painted], .rn-plot[data-painted]", False: ".main-svg .trace"}
LIVE = {True: ".rn-plot[data-painted]", False: ".main-svg .trace"}
#: Notes when something first stands on the page. Asking from outside would wait for the page's thread.
CLOCK = """([name, selector]) => {
  const look = () => {
    if (!document.querySelector(selector)) return;
    performance.mark(name);
    watch.disconnect();
  };
  const watch = new MutationObserver(look);
  watch.observe(document, { subtree: true, childList: true, attributes: true });
}"""
WHEN = "(name) => performance.getEntriesByName(name)[0].startTime / 1000"
#: What is measured: notebook, and whether the toolkit's server or a plain Voila shows it.
WAYS = {
    "FigureWidget, plain Voila": (FIGUREWIDGET, False),
    "PlotView, plain Voila": (PLOTVIEW, False),
    "PlotView, racnet dashboards": (PLOTVIEW, True),
}
SERVE = """
import sys
from pathlib import Path
import racnet_tools.apps.server.application as application
from racnet_tools.apps.settings import Settings
application.dashboards_path = lambda: Path(sys.argv[1])
settings = Settings(work=Path(sys.argv[1]) / "work")
application.serve(settings, port=int(sys.argv[2]), pool=int(sys.argv[3]), browser=False)
"""


def notebook(folder: Path, code: str) -> None:
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": []}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    content = {"cells": [cell | {"source": COMMON + code}], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "page.ipynb").write_text(json.dumps(content))


def started(folder: Path, ours: bool, pool: int, port: int) -> subprocess.Popen:
    if ours:
        command = [sys.executable, "-c", SERVE, str(folder), str(port), str(pool)]
    else:
        command = [sys.executable, "-m", "voila", str(folder), f"--port={port}", "--no-browser"]
        command += ["--preheat_kernel=True", f"--pool_size={pool}"] if pool else []
    with (folder / "log.txt").open("w") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def kernels(server: subprocess.Popen) -> list[int]:
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"ipykernel" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measured(browser, way: str, pool: int, visits: int, port: int) -> tuple[float, float, float]:
    code, ours = WAYS[way]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebook(folder, code)
        if ours:
            shutil.copy(Path(__file__).parents[1] / "dashboards" / "voila.json", folder)
        server = started(folder, ours, pool, port)
        try:
            seen, live, memory = [], [], []
            used: set[int] = set()
            for _ in range(visits):
                wait_until_quiet(server, port, pool, used)
                ready = set(kernels(server)) - used
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                page = context.new_page()
                view = code is PLOTVIEW
                for name, selector in (("seen", SEEN[view]), ("live", LIVE[view])):
                    page.add_init_script(f"({CLOCK})({json.dumps([name, selector])})")
                page.goto(f"http://localhost:{port}/voila/render/page.ipynb", wait_until="commit")
                page.wait_for_selector(LIVE[view], timeout=60_000)
                seen.append(page.evaluate(WHEN, "seen"))
                live.append(page.evaluate(WHEN, "live"))
                mine = ready or set(kernels(server)) - used  # without a pool the kernel has just been started
                memory.append(max(resident(pid) for pid in mine))
                used |= mine
                page.close(run_before_unload=True)
                context.close()
            return statistics.median(seen), statistics.median(live), statistics.median(memory)
        finally:
            server.terminate()
            server.wait(30)


def wait_until_quiet(server: subprocess.Popen, port: int, pool: int, used: set[int]) -> None:
    """Wait until the server answers, the pool is full of kernels that nobody used, and all rest."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://localhost:{port}/", timeout=5).close()
            if len(set(kernels(server)) - used) >= pool:
                break
        except OSError:
            pass
        time.sleep(0.3)
    while time.monotonic() < end:
        before = ticks(server)
        time.sleep(1.5)
        if ticks(server) - before < 0.1 * os.sysconf("SC_CLK_TCK"):
            return
    raise SystemExit("the server did not come to rest")


def ticks(server: subprocess.Popen) -> int:
    total = 0
    for pid in (server.pid, *kernels(server)):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=5, help="of each way (default: 5)")
    visits = parser.parse_args().visits
    chromium = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    print(f"{'':<30}{'pool':>6}{'seen / s':>10}{'answers / s':>13}{'kernel / MB':>13}")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for pool in (1, 0):
            for number, way in enumerate(WAYS):
                seen, live, memory = measured(browser, way, pool, visits, 8910 + 10 * pool + number)
                print(f"{way:<30}{'warm' if pool else 'cold':>6}{seen:>10.2f}{live:>13.2f}{memory:>13.0f}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
