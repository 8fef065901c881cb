"""A workshop's room: many visitors at once, closed tabs, forgotten tabs."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import CHROMIUM, Server

VISITORS = 10

pytestmark = pytest.mark.slow  # two to three minutes on two processors, which the ten browsers share with the server


@pytest.fixture(scope="module")
def playing():
    api = pytest.importorskip("playwright.async_api", reason="the package playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium, or set RACNET_CHROMIUM")
    return api.async_playwright


def memory_mb(pids) -> float:
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def visit_all(playing, address, n):
    async with playing() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        pages = [await (await browser.new_context()).new_page() for _ in range(n)]
        began = time.monotonic()

        async def look(page):
            await page.goto(address, wait_until="commit", timeout=180_000)
            await page.wait_for_selector(".rn-plot[data-painted]", timeout=180_000)
            return time.monotonic() - began

        seconds = await asyncio.gather(*map(look, pages))
        yield seconds
        for page in pages:
            await page.close(run_before_unload=True)
        await asyncio.sleep(1)
        await browser.close()


def test_ten_visitors_each_get_a_plot_and_leave_nothing(playing, server, capsys):
    server.wait(lambda: server.health()["ready"] >= 4)
    rest = set(server.kernels())
    figures = {}

    async def scene():
        async for seconds in visit_all(playing, server.page("inspector"), VISITORS):
            own = set(server.kernels()) - rest
            figures.update(seconds=sorted(seconds), kernels=len(own), memory=memory_mb(own) / len(own))

    ThreadPoolExecutor(1).submit(asyncio.run, scene()).result()
    with capsys.disabled():
        times = figures["seconds"]
        print(f"\n{VISITORS} visitors: first plot after {times[0]:.1f} s, last after {times[-1]:.1f} s", end="; ")
        print(f"{figures['memory']:.0f} MB each")
    assert len(figures["seconds"]) == VISITORS
    assert figures["kernels"] >= VISITORS - 1  # one came from the pool, which was filled again
    assert figures["memory"] < 200
    # Closed tabs free their kernels; what stays is the pool.
    server.wait(lambda: server.health()["kernels"] <= len(rest) + 1, seconds=60)


def test_forgotten_tabs_are_culled(playing, tmp_path):
    """The same settings with a shorter patience: a kernel that nobody talks to ends, though its tab is open."""
    impatient = Server(tmp_path, "--idle", "0.07")
    try:
        rest = impatient.health()["kernels"]

        async def scene():
            async for _ in visit_all(playing, impatient.page("redshift"), 1):
                impatient.wait(lambda: impatient.health()["ready"] >= 4, seconds=60)
                assert impatient.health()["kernels"] >= rest
                impatient.wait(lambda: impatient.health()["kernels"] <= rest, seconds=60)
                impatient.wait(lambda: len(impatient.kernels()) <= rest, seconds=60)

        ThreadPoolExecutor(1).submit(asyncio.run, scene()).result()
    finally:
        impatient.stop()
