"""What a server's answer is: to be tried again, a failure, a refusal, or a spectrum."""

from __future__ import annotations

import html
import re
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from racnet_tools.archives.token import ADVICE
from racnet_tools.errors import RacnetError, ReadError

if TYPE_CHECKING:
    import httpx

__all__ = ["FailedError", "RefusedError", "RetryError", "check_status", "look_at"]

_AGAIN = {408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524}
_LOGIN = re.compile(r"log[\s-]?in|sign[\s-]?in|token|password|permission|unauthori[sz]ed|登录", re.IGNORECASE)


class RetryError(Exception):
    """Worth another attempt; `retry_after` seconds if the server said when."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.retry_after = reason, retry_after


class FailedError(Exception):
    """Another attempt would end the same; `unknown` where the server is in order but has no such spectrum."""

    def __init__(self, reason: str, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.unknown = reason, unknown


class RefusedError(RacnetError):
    """The server does not let us in."""


def check_status(response: httpx.Response) -> None:
    """Pass a good status, raise for the others.

    Raises
    ------
    RefusedError
        For 401 and 403.
    RetryError
        For 429, 5xx and the like.
    FailedError
        For every other status but 200.
    """
    status = response.status_code
    if status == 200:
        return
    if status in (401, 403):
        raise RefusedError(
            f"The server {response.url.host} refuses access ({status}). {ADVICE} "
            "What is finished is kept: repeat the command and it goes on from there."
        )
    told = f"the server answered {status} {response.reason_phrase}".rstrip()
    if status in _AGAIN or status >= 500:
        raise RetryError(told, _retry_after(response.headers.get("retry-after", "")))
    if status in (404, 410):
        raise FailedError(f"{told}: it does not know this spectrum", unknown=True)
    raise FailedError(told)


def _retry_after(text: str) -> float | None:
    """Seconds of a Retry-After header, which has a number or a date."""
    text = text.strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def look_at(path: Path) -> tuple[str, str]:
    """Whether a file is a whole spectrum.

    Parameters
    ----------
    path : Path
        Fetched, under any name.

    Returns
    -------
    ending : str
        ``".fits.gz"`` or ``".fits"``, by what is in it.
    spec_id : str
        Of the spectrum in it.

    Raises
    ------
    FailedError
        If it is a web page or a message.
    RetryError
        If it is empty, damaged, or refused by the reader.
    """
    from racnet_tools.readers import read_file

    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise RetryError("the answer was empty")
    packed = head.startswith(b"\x1f\x8b")
    start = _unpacked(head) if packed else head
    if not start.startswith(b"SIMPLE"):
        raise _not_fits(start, packed)
    try:
        spectra = read_file(path)
    except ReadError as error:
        raise RetryError(f"the file is damaged or no spectrum: {error.reason}") from None
    return ".fits.gz" if packed else ".fits", str(spectra.table["spec_id"][0])


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, 4096)
    except zlib.error:
        return b""


def _not_fits(start: bytes, packed: bool) -> RetryError | FailedError:
    text = start.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    lower = text[:400].lower()
    page = lower.startswith(("<!doctype", "<html", "<?xml", "<head", "<body")) or "<html" in lower
    if not page and not (text[:200].isprintable() and len(text) > 1):
        return RetryError("the file is damaged" if packed else "the answer is neither FITS nor text")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    said = title[1] if title else re.sub(r"<[^>]*>", " ", text)
    said = " ".join(html.unescape(said).split())[:80]
    reason = f"the server sent {'a web page' if page else 'a message'} instead of a spectrum ({said!r})"
    return FailedError(f"{reason}. {ADVICE}" if _LOGIN.search(text) else reason)
