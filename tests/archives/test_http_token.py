"""The token goes to its server over TLS, and nowhere else."""

import logging
import traceback

import httpx
import keyring
import pytest

from racnet_tools.archives import token as token_module
from racnet_tools.archives.fetching import Job, fetch
from racnet_tools.archives.http import make_client
from racnet_tools.archives.pace import Pace
from racnet_tools.archives.token import Token, find_token
from racnet_tools.errors import RacnetError

SECRET = "s3cret+/Token=="


class Recorder:
    """Stands for the network: answers with `answer(request)` and keeps the requests."""

    def __init__(self, answer):
        self.requests = []
        self._answer = answer

    def __call__(self, request):
        self.requests.append(request)
        return self._answer(request)

    def client(self, address="https://www.lamost.org", token=SECRET):
        return make_client(address, Token(token) if token else None, transport=httpx.MockTransport(self))

    def tokens(self):
        return [request.url.params.get("token") for request in self.requests]


def test_the_token_is_sent_to_its_server():
    recorder = Recorder(lambda request: httpx.Response(200, text="ok"))
    with recorder.client() as client:
        assert client.get("https://www.lamost.org/openapi/x?obsid=1").text == "ok"
    assert recorder.tokens() == [SECRET]
    assert recorder.requests[0].url.params["obsid"] == "1"


def test_anonymous_requests_have_none():
    recorder = Recorder(lambda request: httpx.Response(200))
    with recorder.client(token=None) as client:
        client.get("https://www.lamost.org/x")
    assert recorder.tokens() == [None]


@pytest.mark.parametrize("address", ["http://dr5.lamost.org", "http://127.0.0.1:80"])
def test_a_token_and_no_tls_do_not_go_together(address):
    with pytest.raises(RacnetError, match="unencrypted: nothing was sent") as caught:
        make_client(address, Token(SECRET))
    assert SECRET not in str(caught.value)


def test_a_redirect_to_another_host_is_followed_without_it():
    def answer(request):
        if request.url.host == "www.lamost.org":
            return httpx.Response(302, headers={"Location": f"https://mirror.example.org/f?token={SECRET}"})
        return httpx.Response(200)

    recorder = Recorder(answer)
    with recorder.client() as client:
        client.get("https://www.lamost.org/f")
    assert [request.url.host for request in recorder.requests] == ["www.lamost.org", "mirror.example.org"]
    assert SECRET not in str(recorder.requests[1].url)


@pytest.mark.parametrize("token", [SECRET, None])
def test_a_redirect_out_of_tls_is_refused(token):
    def answer(request):
        return httpx.Response(302, headers={"Location": "http://www.lamost.org/f"})

    recorder = Recorder(answer)
    with recorder.client(token=token) as client, pytest.raises(RacnetError, match="unencrypted address http://"):
        client.get("https://www.lamost.org/f")
    assert [request.url.scheme for request in recorder.requests] == ["https"]


def test_it_shows_up_nowhere(tmp_path, caplog):
    """Neither in logs at the lowest level, nor in what is written, nor in the reasons."""
    page = iter([f"<html>The token {SECRET} has expired</html>".encode()])
    answers = iter([httpx.Response(500), httpx.Response(200, content=page), httpx.Response(404), httpx.Response(403)])
    recorder = Recorder(lambda request: next(answers))
    caplog.set_level(logging.DEBUG)
    jobs = [Job(str(i), f"https://www.lamost.org/f?obsid={i}") for i in range(3)]
    with recorder.client() as client, pytest.raises(RacnetError) as caught:
        fetch(jobs, tmp_path, client, pace=Pace(1000, 0.001), connections=1, redact=Token(SECRET).redact)
    assert recorder.tokens() == [SECRET] * 4
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "has expired" in (tmp_path / "failed.csv").read_text()
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + written
    assert "www.lamost.org" in shown
    for form in (SECRET, httpx.QueryParams({"token": SECRET})["token"], "s3cret"):
        assert form not in shown


def test_neither_text_nor_repr_show_it():
    secret = Token(SECRET)
    assert "s3cret" not in f"{secret} {secret!r} {[secret]}"
    assert secret.redact(f"a {SECRET} b s3cret%2B%2FToken%3D%3D") == "a (token) b (token)"


def test_it_comes_from_the_environment(monkeypatch):
    assert find_token() is None
    monkeypatch.setenv(token_module.VARIABLE, f" {SECRET}\n")
    assert find_token().reveal() == SECRET
    monkeypatch.setenv(token_module.VARIABLE, "")
    assert find_token() is None


def test_or_from_the_keyring(monkeypatch):
    monkeypatch.setattr(keyring, "get_password", lambda service, user: f"{service}/{user}")
    assert find_token().reveal() == "racnet-lamost/token"
    monkeypatch.setenv(token_module.VARIABLE, "mine")
    assert find_token().reveal() == "mine"


def test_a_broken_keyring_means_anonymous(monkeypatch):
    def broken(service, user):
        raise RuntimeError("no backend")

    monkeypatch.setattr(keyring, "get_password", broken)
    assert find_token() is None


@pytest.mark.parametrize("value", ["two words", "a\nb", "é", "x" * 600])
def test_what_is_no_token(monkeypatch, value):
    monkeypatch.setenv(token_module.VARIABLE, value)
    with pytest.raises(RacnetError, match="RACNET_LAMOST_TOKEN") as caught:
        find_token()
    assert value not in str(caught.value)


def test_certificates_are_verified():
    with make_client("https://www.lamost.org") as client:
        context = client._transport._pool._ssl_context
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_a_certificate_that_fails_ends_the_run(tmp_path):
    def answer(request):
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")

    recorder = Recorder(answer)
    with recorder.client(token=None) as client, pytest.raises(RacnetError, match="certificate of www"):
        fetch([Job("1", "https://www.lamost.org/1")], tmp_path, client)
    assert len(recorder.requests) == 1


def test_the_environments_proxy_is_used(monkeypatch):
    from racnet_tools.archives.http import _proxy

    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    monkeypatch.setenv("no_proxy", "dr5.lamost.org")
    assert _proxy("https", "www.lamost.org") == "http://proxy.example.org:3128"
    assert _proxy("https", "dr5.lamost.org") is None
    assert _proxy("https", "127.0.0.1") is None


def test_a_missing_httpx_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(RacnetError, match=r"pip install 'racnet-tools\[survey\]'"):
        make_client("https://www.lamost.org")
