"""A real server of the dashboards, and a real Chromium to visit it; tests skip with a reason where there is none."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from racnet_tools.resources import data_path

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
    os.environ.get("RACNET_CHROMIUM"),
)


class Server:
    """`racnet dashboards` in a process of its own."""

    def __init__(self, folder: Path, *options: str, pool: int = 1, path: str = "", token: str = "") -> None:
        self.spectra, self.work = folder / "spectra", folder / "work"
        if not self.spectra.exists():
            shutil.copytree(data_path("samples"), self.spectra, ignore=shutil.ignore_patterns("*.py"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home, self.token = f"http://localhost:{self.port}/{path}", token
        command = [sys.executable, "-m", "racnet_tools.cli", "dashboards", "--no-browser", "--port", str(self.port)]
        command += ["--spectra", str(self.spectra), "--work", str(self.work), "--pool", str(pool), *options]
        self.log = folder / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait(lambda: self.health()["ready"] >= 4 * pool)

    def health(self):
        with urllib.request.urlopen(f"{self.home}racnet/health?token={self.token}", timeout=5) as answer:
            return json.load(answer)

    def wait(self, met, seconds=120):
        end = time.monotonic() + seconds
        while True:
            try:
                if met():
                    return
            except OSError:
                pass
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < end, f"not met within {seconds} s: {self.log.read_text()[-3000:]}"
            time.sleep(0.2)

    def page(self, name: str) -> str:
        return f"{self.home}voila/render/{name}.ipynb"

    def kernels(self) -> list[int]:
        """Processes of the kernels."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"ipykernel" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    pytest.importorskip("voila", reason="the extra 'apps' is not installed")
    server = Server(tmp_path_factory.mktemp("dashboards"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium():
    api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium, or set RACNET_CHROMIUM")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Visit:
    """A page in a browser of its own, with everything it asked for and complained of."""

    def __init__(self, chromium, address: str, **options) -> None:
        self.context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.began = time.monotonic()
        self.page.goto(address, wait_until="commit")

    def plotted(self) -> float:
        """Seconds from opening until a plot stands, first paint or live."""
        self.page.wait_for_selector("#racnet-first[data-painted], .rn-plot[data-painted]")
        return time.monotonic() - self.began

    def live(self) -> float:
        """Seconds from opening until the live plot stands and the controls answer."""
        self.page.wait_for_selector(".rn-plot[data-painted]")
        return time.monotonic() - self.began

    def close(self) -> None:
        if not self.page.is_closed():
            self.page.close(run_before_unload=True)
            time.sleep(0.2)
            self.context.close()


@pytest.fixture
def visit(chromium):
    visits = []

    def open_page(address: str, **options) -> Visit:
        visits.append(Visit(chromium, address, **options))
        return visits[-1]

    yield open_page
    for one in visits:
        one.close()
