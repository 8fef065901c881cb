"""One HTTP client with the project's rules.

* TLS certificates are verified. A server may be spoken to without TLS only if it was named so (``http://...``), and
  then anonymously.
* A token is put into the request below everything that logs or reports it, only over TLS, and only for the host that
  the client was made for; addresses in logs and errors are without it.
* A redirect from ``https`` to ``http`` is refused.
* Bodies are asked for as they are (no transport compression), so that checksums are those of the server's files.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from racnet_tools.archives.token import Token
from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    import httpx

__all__ = ["import_httpx", "make_client"]

#: Seconds to connect, and between two pieces of an answer.
CONNECT, READ = 20.0, 60.0
_MAX_REDIRECTS = 5


def import_httpx():
    """The module httpx, or an error that says how to get it."""
    try:
        import httpx
    except ImportError as error:
        raise RacnetError(
            "Downloads need the package httpx, which is not installed: pip install 'racnet-tools[survey]'."
        ) from error
    return httpx


def make_client(
    address: str,
    token: Token | None = None,
    connections: int = 4,
    read_timeout: float = READ,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """A client for one server; a context manager, to be shared by threads.

    Parameters
    ----------
    address : str
        Any address on the server.
    token : Token, optional
        For the server; anonymous without.
    connections : int
        How many may be open at once.
    read_timeout : float
        Seconds that the server may be silent.
    transport : httpx.BaseTransport, optional
        Instead of the network, for tests.

    Returns
    -------
    httpx.Client

    Raises
    ------
    RacnetError
        If there is a token and the address has no TLS, or httpx is missing.
    """
    httpx = import_httpx()
    parts = urlsplit(address)
    if token is not None and parts.scheme != "https":
        raise RacnetError(
            f"A token is set, and {parts.scheme}://{parts.netloc} would receive it unencrypted: nothing was sent. "
            "Name the server with https://, or remove the token for anonymous access."
        )
    if transport is None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        transport = httpx.HTTPTransport(verify=True, limits=limits, proxy=_proxy(parts.scheme, parts.hostname or ""))
    if token is not None:
        transport = _with_token(httpx, transport, token, parts.hostname or "")

    def no_downgrade(request) -> None:
        if parts.scheme == "https" and request.url.scheme != "https":
            raise RacnetError(
                f"{parts.netloc} sent us on to the unencrypted address {request.url.scheme}://{request.url.host}: "
                "not followed. Try again later, or tell the archive."
            )

    return httpx.Client(
        transport=transport,
        timeout=httpx.Timeout(read_timeout, connect=CONNECT),
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
        headers={"User-Agent": f"racnet-tools/{_version()}", "Accept-Encoding": "identity"},
        event_hooks={"request": [no_downgrade]},
    )


def _version() -> str:
    try:
        return version("racnet-tools")
    except PackageNotFoundError:  # used from a checkout that is not installed
        return "0"


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy of the environment for this host, as for other programs (https_proxy, no_proxy)."""
    from urllib.request import getproxies, proxy_bypass

    if host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all")


def _with_token(httpx, transport: httpx.BaseTransport, token: Token, host: str) -> httpx.BaseTransport:
    class WithToken(httpx.BaseTransport):
        """Adds the token to requests on their way out, and takes it out of redirects on their way in."""

        def handle_request(self, request):
            if request.url.scheme == "https" and request.url.host == host:
                url = request.url.copy_set_param("token", token.reveal())
                request = httpx.Request(
                    request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
                )
            response = transport.handle_request(request)
            if "location" in response.headers:
                response.headers["location"] = token.redact(response.headers["location"])
            return response

        def close(self) -> None:
            transport.close()

    return WithToken()
