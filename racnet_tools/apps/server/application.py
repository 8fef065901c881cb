"""The dashboards' server: Voila, with what it lacks for a workshop's room and a public address.

* A start page instead of a list of files; no listing of folders and no files besides the notebooks' pages.
* plotly.js as a compressed file that browsers keep, asked for while the page is still being read, and a first plot that
  is drawn from the page itself before the widgets are alive (`template/`).
* Kernels of closed and forgotten tabs end; the settings are those of `dashboards/voila.json`.
* Answers only to its own name where it serves this machine alone, against pages elsewhere that would talk to it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join
from traitlets import Unicode
from voila.app import Voila

from racnet_tools.apps.kernel import SERVED
from racnet_tools.apps.server.handlers import HealthHandler, PlotlyHandler, ShutdownHandler, StartHandler, plotly_name
from racnet_tools.apps.settings import Settings
from racnet_tools.resources import dashboards_path

__all__ = ["DashboardServer", "serve"]

#: Nothing outside the server is loaded or told. Widgets are scripts in blobs, and Voila's page has scripts inside.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)

_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


class DashboardServer(Voila):
    """Voila for the toolkit's dashboards."""

    name = "voila"  # the settings' file is voila.json

    shown_as = Unicode(config=True, help="Host name under which a reverse proxy shows the server.")

    def setup_template_dirs(self) -> None:
        """Put the dashboards' own page before Voila's."""
        super().setup_template_dirs()
        here = Path(__file__).parent
        self.template_paths: list[str] = [str(here / "template"), str(here.parent / "widgets"), *self.template_paths]

    def init_settings(self) -> dict[str, Any]:
        """Add headers and the check of the host's name to Voila's settings."""
        self.voila_configuration.page_config_hook = _with_plotly
        settings = super().init_settings()
        settings["headers"] = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
        settings["allow_remote_access"] = self.ip not in _OWN_MACHINE
        settings["local_hostnames"] = ["localhost", *filter(None, [self.shown_as])]
        return settings

    def init_handlers(self) -> list[Any]:
        """Replace the listing of folders by a start page."""
        unwanted = ("/voila/tree", "/voila/api/contents", "/voila/files/")
        root = self.server_url
        kept = [
            handler
            for handler in super().init_handlers()
            if handler[0] != root and not any(handler[0].startswith(url_path_join(root, path)) for path in unwanted)
        ]
        return [
            (url_path_join(root, "/voila/api/shutdown/(.*)"), ShutdownHandler),
            *kept,
            (url_path_join(root, "racnet", r"(plotly-[\w.]+\.js)"), PlotlyHandler),
            (url_path_join(root, "racnet", "health"), HealthHandler),
            (root, StartHandler),
        ]


def _with_plotly(page_config: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Tell the page where plotly.js is."""
    return page_config | {"racnetPlotly": url_path_join(page_config["baseUrl"], "racnet", plotly_name())}


def serve(
    settings: Settings,
    *,
    port: int = 8866,
    ip: str = "localhost",
    pool: int = 1,
    base_url: str = "/",
    hostname: str = "",
    token: str | None = "",
    idle: float = 3600.0,
    browser: bool = True,
) -> None:
    """Serve the dashboards until interrupted.

    Parameters
    ----------
    settings : Settings
        What visitors may open and where their work is kept.
    port, ip : int, str
        Where to listen; a port in use gives the next free one.
    pool : int
        Kernels kept ready for each dashboard, so that a page opens at once; each takes some 150 MB of memory.
    base_url : str
        Path below which a reverse proxy shows the server.
    hostname : str
        Name under which the proxy shows it; a server of this machine alone answers to no other name.
    token : str or None
        What visitors must know; empty for none, None to draw one at random.
    idle : float
        Seconds after which the kernel of a page that nobody uses ends, though its tab may be open.
    browser : bool
        Whether to open a browser.
    """
    folder = dashboards_path()
    os.environ.update(settings.to_environment())
    os.environ[SERVED] = "1"
    # Kernels look at spectra one by one: more threads than one would only make visitors wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # What a kernel frees goes back to the system (glibc keeps up to 60 MB of it otherwise).
    for name, value in (
        ("MALLOC_ARENA_MAX", "2"),
        ("MALLOC_TRIM_THRESHOLD_", "65536"),
        ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ):
        os.environ.setdefault(name, value)
    words = [
        str(folder),
        f"--Voila.config_file_paths={folder}",
        f"--port={port}",
        f"--Voila.ip={ip}",
        f"--pool_size={pool}",
        f"--base_url={base_url}",
        f"--DashboardServer.shown_as={hostname}",
        f"--Voila.open_browser={browser}",
        f"--MappingKernelManager.cull_idle_timeout={max(1, round(idle))}",
        f"--MappingKernelManager.cull_interval={max(1, min(60, round(idle / 2)))}",
        "--Voila.log_level=ERROR",
    ]
    if pool < 1:
        words.append("--preheat_kernel=False")
    words.append("--Voila.auto_token=True" if token is None else f"--token={token}")
    DashboardServer.launch_instance(argv=words)
