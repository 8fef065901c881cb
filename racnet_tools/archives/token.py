"""The LAMOST token. Public releases need none; it is read when there is one, and never written anywhere.

Looked for in the environment variable RACNET_LAMOST_TOKEN, then in the system's keyring (service ``racnet-lamost``,
user ``token``; put there with ``keyring set racnet-lamost token``). Options of commands are no place for it: other
users of the machine see them.
"""

from __future__ import annotations

import os

from racnet_tools.errors import RacnetError

__all__ = ["ADVICE", "VARIABLE", "Token", "find_token"]

VARIABLE = "RACNET_LAMOST_TOKEN"
_SERVICE, _USER = "racnet-lamost", "token"

#: What to tell a user whom the server turned away.
ADVICE = (
    f"Releases that are not public need the token of your account at www.lamost.org: set {VARIABLE}, or store it with "
    f"`keyring set {_SERVICE} {_USER}`. A token that was set may have expired."
)


class Token:
    """A secret that does not show itself: neither `str` nor `repr` nor a traceback's locals give it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        value = value.strip()
        if not (0 < len(value) <= 512 and value.isascii() and value.isprintable() and " " not in value):
            raise RacnetError(f"The LAMOST token is not one word of printable characters. Check {VARIABLE}.")
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the request alone."""
        return self._value

    def redact(self, text: str) -> str:
        """`text` without the secret in it, should a server have repeated it."""
        from urllib.parse import quote

        for form in {self._value, quote(self._value, safe="")}:
            text = text.replace(form, "(token)")
        return text

    def __repr__(self) -> str:
        return "Token(hidden)"


def find_token() -> Token | None:
    """The user's token; None where there is none (access is anonymous then).

    Returns
    -------
    Token or None

    Raises
    ------
    RacnetError
        If something is set that cannot be a token.
    """
    value = os.environ.get(VARIABLE)
    if value is None:
        try:
            import keyring

            value = keyring.get_password(_SERVICE, _USER)
        except Exception:  # no keyring, a locked one, or a broken backend: anonymous access is the normal case
            value = None
    return Token(value) if value and value.strip() else None
