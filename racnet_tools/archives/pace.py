"""How fast requests go out, shared by all connections: so many a second, and pauses when the server asks for them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from racnet_tools.errors import RacnetError

__all__ = ["Pace"]


class Pace:
    """A rate that all connections share.

    Parameters
    ----------
    rate : float
        Requests a second, on average and at most.
    pause : float
        Seconds before the second attempt at a file; doubled for each further one.
    longest : float
        Seconds that no pause exceeds, not even one that the server asks for.
    seed : int
        Of the chance in the pauses.
    clock : callable
        Seconds that never run backwards.
    """

    def __init__(
        self,
        rate: float = 5.0,
        pause: float = 1.0,
        longest: float = 600.0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < rate <= 1000:
            raise RacnetError(f"Expected a rate above 0 and up to 1000 requests a second. Received: {rate}.")
        self.rate, self.pause, self.longest, self.clock = rate, pause, longest, clock
        self._chance = random.Random(seed)  # noqa: S311 (spreads clients in time; no secret)
        self._guard = threading.Lock()
        self._next = clock()
        self._held = self._next

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next turn; false if `stop` was set before it came."""
        with self._guard:
            turn = max(self._next, self.clock())
            self._next = turn + 1.0 / self.rate
        while (left := turn - self.clock()) > 0:
            if stop.wait(left):
                return False
            with self._guard:  # a pause may have been asked for meanwhile
                held = self._held
            turn = max(turn, held)
        return not stop.is_set()

    def after_failure(self, attempt: int, retry_after: float | None, stop: threading.Event) -> None:
        """Pause after a failed attempt (1, 2, ...); what the server asked for holds up all connections.

        Parameters
        ----------
        attempt : int
        retry_after : float or None
            Seconds that the server asked for.
        stop : threading.Event
            Ends the pause.
        """
        if retry_after is not None:
            with self._guard:
                self._held = max(self._held, self.clock() + min(retry_after, self.longest))
                self._next = max(self._next, self._held)
            return
        with self._guard:
            seconds = self.pause * 2 ** (attempt - 1) * self._chance.uniform(0.5, 1.5)
        stop.wait(min(seconds, self.longest))
