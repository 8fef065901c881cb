"""A JupyterHub for a workshop on one machine: everybody gets a server, and a copy of the notebooks.

    pip install jupyterhub && npm install --global configurable-http-proxy
    RACNET_WORKSHOP_PASSWORD=... jupyterhub --config notebooks/workshop/setup/jupyterhub_config.py

in the toolkit's environment. Anybody who knows the password comes in under any name. All servers run as the user who
started the hub: people can reach each other's files, so use it for a workshop, on a machine that holds nothing else. It
listens on this machine alone; put a reverse proxy with TLS before it.
"""

import os
import re
import shutil
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2]
WORK = Path(os.environ.get("RACNET_WORKSHOP_FOLDER", "workshop_folders")).resolve()

password = os.environ.get("RACNET_WORKSHOP_PASSWORD", "")
if len(password) < 8:
    raise SystemExit(
        "Set RACNET_WORKSHOP_PASSWORD to the word, of 8 letters or more, that you will give to the people."
    )


def own_folder(spawner):
    """Give a person a folder with the notebooks; what is there already stays."""
    name = spawner.user.name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,30}", name):
        raise ValueError(f"Expected a name of letters, digits, - and _. Received: {name!r:.60}")
    folder = WORK / name
    if not folder.exists():
        leave_out = shutil.ignore_patterns("solutions", "setup", "output", "__pycache__", ".ipynb_checkpoints")
        shutil.copytree(NOTEBOOKS, folder, ignore=leave_out)
    spawner.notebook_dir = str(folder)


c = get_config()  # noqa: F821 - traitlets gives it

c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = password
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z0-9][a-z0-9_-]{0,30}"

c.JupyterHub.spawner_class = "simple"
c.JupyterHub.active_server_limit = 40
c.JupyterHub.concurrent_spawn_limit = 5
c.SimpleLocalProcessSpawner.home_dir_template = str(WORK / "{username}")
c.Spawner.pre_spawn_hook = own_folder
c.Spawner.default_url = "/lab/tree/workshop/1_what_a_spectrum_tells.ipynb"
c.Spawner.http_timeout = 120
# One training must not take every processor from the others.
c.Spawner.environment = {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
# A kernel that nobody uses for an hour gives its memory back.
c.Spawner.args = ["--MappingKernelManager.cull_idle_timeout=3600", "--MappingKernelManager.cull_interval=300"]
