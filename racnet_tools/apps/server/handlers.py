"""Pages and files that the dashboards' server has beside Voila's own."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

import tornado.web
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler

from racnet_tools import __version__
from racnet_tools.apps.plotly_script import plotly_compressed
from racnet_tools.apps.widgets.masthead import DASHBOARDS

__all__ = ["HealthHandler", "PlotlyHandler", "ShutdownHandler", "StartHandler", "plotly_name"]

_WORDS = {
    "inspector": "Look at spectra of LAMOST, SDSS and DESI: the class with its probability, what the network looked "
    "at, lines at any redshift, and visual inspection by keyboard. Begins with the shipped samples; takes your files.",
    "training_lab": "See what preprocessing does step by step, train a network and watch it learn, compare runs, and "
    "open the spectra behind a cell of the confusion matrix.",
    "attention": "Which channels the network turns up and down for each class, what excites a channel, what is lost "
    "without it, and whether explanations can be trusted.",
    "redshift": "Drag an object through redshift and watch features leave the window and the classes change; accuracy "
    "against redshift with intervals, beside the paper's.",
}


@lru_cache(maxsize=1)
def plotly_name() -> str:
    """Name of the file, which changes with plotly.js, so that browsers may keep it for ever."""
    from plotly.offline import get_plotlyjs_version

    return f"plotly-{get_plotlyjs_version()}.js"


class PlotlyHandler(JupyterHandler):
    """plotly.js as the installed plotly carries it, compressed."""

    @tornado.web.authenticated
    def get(self, name: str) -> None:
        """Answer with the file, or 404 for another version's."""
        if name != plotly_name():
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.set_header("Content-Encoding", "gzip")
        self.finish(plotly_compressed())


class HealthHandler(JupyterHandler):
    """How many kernels run and how many are ready; for tests, monitoring and load balancers."""

    @tornado.web.authenticated
    def get(self) -> None:
        """Answer with counts as JSON."""
        pools = getattr(self.kernel_manager, "_pools", {})
        ready = sum(task.done() and not task.exception() for pool in pools.values() for task in pool)
        running = len(self.kernel_manager.list_kernel_ids())
        self.finish({"version": __version__, "kernels": running, "ready": ready})


class ShutdownHandler(VoilaShutdownKernelHandler):
    """End the kernel of a page that is being closed.

    The page says so by a beacon, which carries no token against forged requests, so that jupyter_server refuses it and
    the kernel stays. What protects here is the origin, as it does a kernel's websocket, and the kernel's name, which
    nobody else knows.
    """

    def check_xsrf_cookie(self) -> None:
        """Let pages of this server alone in."""
        origin = urlsplit(self.request.headers.get("Origin", ""))
        if origin.netloc.lower() != self.request.host.lower():
            raise tornado.web.HTTPError(403, "expected a page of this server")


class StartHandler(JupyterHandler):
    """The start page: what each dashboard is for, and the way to it."""

    @tornado.web.authenticated
    def get(self) -> None:
        """Answer with the page."""
        cards = [
            {
                "title": title,
                "words": _WORDS[name],
                "address": url_path_join(self.base_url, "voila", "render", f"{name}.ipynb"),
            }
            for name, title in DASHBOARDS.items()
        ]
        template = self.settings["voila_jinja2_env"].get_template("start.html.j2")
        self.finish(template.render(cards=cards, version=__version__))
