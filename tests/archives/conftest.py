"""Simulated spectra in LAMOST's layout, and a server that sends them."""

import pytest
from lamost_server import Server

from racnet_tools.archives import token
from racnet_tools.readers import write_lamost
from racnet_tools.simulate import simulate


@pytest.fixture(scope="session")
def bodies(tmp_path_factory):
    """Five gzipped LAMOST files."""
    folder = tmp_path_factory.mktemp("bodies")
    spectra = simulate({"STAR": 3, "GALAXY": 1, "QSO": 1}, seed=5)
    return [path.read_bytes() for path in write_lamost(spectra, folder, suffix=".fits.gz")]


@pytest.fixture
def server(bodies):
    with Server(bodies) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_token(monkeypatch, tmp_path):
    """Neither the environment's nor the keyring's token, and a cache of the test's own."""
    monkeypatch.delenv(token.VARIABLE, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("RACNET_CACHE", str(tmp_path / "cache"))
