"""The public keys with which issuers sign tokens."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from threading import BoundedSemaphore, Lock, Thread

from chassis.core.errors import AuthenticationError, UnavailableError
from chassis.tokens.json_web_keys import PublicKey, read_key_set
from chassis.tokens.key_server import ask

FRESH_SECONDS, OLDEST_SECONDS = 300, 3600
# Between two looks at the issuer, so that strangers cannot have us ask it without end.
PAUSE_SECONDS, PAUSE_AFTER_FAILURE_SECONDS = 5, 0.5
# For an answer, where no key is known that would do: a little longer than one may take.
WAIT_SECONDS = 2.5
MOST_WAITING = 8  # Requests of a process; it has more threads than that (chassis/cli/server.py).
_log = logging.getLogger(__name__)


class SigningKeys(ABC):
    @abstractmethod
    def find(self, key_id: str | None, *, patient: bool) -> Sequence[PublicKey]:
        """All that may have that name. Who is `patient` may be kept waiting for the issuer.

        Raise AuthenticationError if there is none, UnavailableError if that cannot be known.
        """


class FixedKeys(SigningKeys):
    def __init__(self, keys: Sequence[PublicKey]) -> None:
        self._keys = keys

    def find(self, key_id: str | None, *, patient: bool) -> Sequence[PublicKey]:
        del patient
        return _candidates(self._keys, key_id)


class PublishedKeys(SigningKeys):
    """A key set at a URL (RFC 7517, section 5).

    It is read again in the background from time to time, and when a token names a key that is not
    in it. While it cannot be read, what is known is good for an hour.
    """

    def __init__(self, url: str, user_agent: str) -> None:
        self._url = url
        self._user_agent = user_agent
        self._keys: Sequence[PublicKey] = ()
        self._read_at = self._asked_at = -float("inf")
        self._failed = False
        self._starting = Lock()
        self._reader: Thread | None = None
        self._places = BoundedSemaphore(MOST_WAITING)

    def find(self, key_id: str | None, *, patient: bool) -> Sequence[PublicKey]:
        age = time.monotonic() - self._read_at
        if age > FRESH_SECONDS:
            self.read_in_background()
        if age < OLDEST_SECONDS:
            try:
                return _candidates(self._keys, key_id)
            except AuthenticationError:
                self.read_in_background()
        is_read = self._wait(patient=patient)
        if is_read and time.monotonic() - self._read_at < OLDEST_SECONDS and not self._failed:
            return _candidates(self._keys, key_id)
        raise UnavailableError("The keys of those who issue tokens cannot be had.")

    def read_in_background(self) -> None:
        """Unless that goes on already, or was done a moment ago."""
        with self._starting:
            pause = PAUSE_AFTER_FAILURE_SECONDS if self._failed else PAUSE_SECONDS
            running = self._reader and self._reader.is_alive()
            if not running and time.monotonic() - self._asked_at > pause:
                self._asked_at = time.monotonic()
                self._reader = Thread(target=self._read, daemon=True)
                self._reader.start()

    def _wait(self, *, patient: bool) -> bool:
        """Whether the issuer's answer is there. A few wait for it: the others need the threads."""
        reader = self._reader
        if reader and reader.is_alive() and patient and self._places.acquire(blocking=False):
            try:
                reader.join(WAIT_SECONDS)
            finally:
                self._places.release()
        return not (reader and reader.is_alive())

    def _read(self) -> None:
        try:
            keys = read_key_set(ask(self._url, self._user_agent))
        except Exception as error:  # Of the network, or of whatever was answered.
            self._failed = True
            _log.warning("The key set cannot be read: %s (%s)", error, type(error).__name__)
        else:
            self._keys = keys
            self._read_at = time.monotonic()
            self._failed = False


def _candidates(keys: Sequence[PublicKey], key_id: str | None) -> Sequence[PublicKey]:
    """Several may have one name, and the only one needs none (RFC 7517, section 4.5)."""
    found = [key for key in keys if key.key_id == key_id]
    if not found and key_id is None and len(keys) == 1:
        return keys
    if not found:
        raise AuthenticationError("The token is not valid here.", reason="unknown key")
    return found
