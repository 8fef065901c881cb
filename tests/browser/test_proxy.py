"""Behind a reverse proxy and with a token: the right name and word open the door, others do not."""

import re
import urllib.error
import urllib.request

import pytest
from conftest import Server


def status(address, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, ""


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    pytest.importorskip("voila", reason="the extra 'apps' is not installed")
    options = ("--base-url", "/racnet/", "--hostname", "spectra.example.org", "--token", "word")
    server = Server(tmp_path_factory.mktemp("proxied"), *options, pool=0, path="racnet/", token="word")
    yield server
    server.stop()


def test_it_answers_to_the_proxys_name_and_its_own(proxied):
    address = f"{proxied.home}?token=word"
    assert status(address)[0] == 200
    assert status(address, Host="spectra.example.org")[0] == 200
    assert status(address, Host="evil.example")[0] == 403


def test_without_the_word_nobody_sees_anything(proxied):
    """They are led to the page that asks for it."""
    for place in ("", "racnet/health", "racnet/health?token=wrong", "voila/render/inspector.ipynb"):
        _, text = status(f"{proxied.home}{place}")
        assert "kernel" not in text
        assert "RAC-Net dashboards" not in text
    assert "kernels" in status(f"{proxied.home}racnet/health?token=word")[1]


def test_links_stay_below_the_proxys_path(proxied):
    _, page = status(f"{proxied.home}?token=word")
    links = re.findall(r'href="(/[^"]*)"', page)
    assert len(links) == 4
    assert all(link.startswith("/racnet/voila/render/") for link in links)
