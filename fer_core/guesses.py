"""Passwords that cannot be guessed by trying many: after each wrong one, its sender has to wait."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable
from typing import Final

from fer_core.types import FerError

FREE: Final = 3  # wrong passwords without a wait: people mistype
LONGEST: Final = 60.0  # seconds; the wait doubles from two seconds up to this
FORGOTTEN: Final = 3600.0  # seconds after a wait when its sender's wrong passwords no longer count
_MOST: Final = 10_000  # senders that are remembered


class Guesses:
    """Wrong passwords by sender. Any thread may use it. The clock returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}  # how many, and when the wait ends, by sender

    def check(self, sender: str, given: str, password: str) -> bool:
        """Return whether what a sender, such as an address, gives is the password; a FerError says to wait first."""
        with self._lock:
            now = self._clock()
            count, until = self._wrong.get(sender, (0, now))
            if now < until:
                raise FerError(
                    f"Too many wrong passwords came from your network address. Try again in {until - now:.0f} seconds."
                )
            if hmac.compare_digest(given.encode(), password.encode()):
                self._wrong.pop(sender, None)
                return True
            if len(self._wrong) >= _MOST:
                self._wrong = {name: kept for name, kept in self._wrong.items() if now < kept[1]}
            count = 1 if now - until > FORGOTTEN else count + 1
            self._wrong[sender] = (count, now + (min(2.0 ** min(count - FREE, 20), LONGEST) if count > FREE else 0.0))
            return False


TRAINING: Final = Guesses()  # of the password for training
