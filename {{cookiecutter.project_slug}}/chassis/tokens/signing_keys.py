"""The public keys with which issuers sign tokens."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from threading import BoundedSemaphore, Lock, Thread

from chassis.core.errors import AuthenticationError, UnavailableError
from chassis.tokens.claims import refusal
from chassis.tokens.json_web_keys import PublicKey, read_key_set
from chassis.tokens.key_server import ask

FRESH_SECONDS, OLDEST_SECONDS = 300, 3600
# Seconds between two fetches, so that strangers cannot make us fetch without end.
PAUSE_SECONDS, PAUSE_AFTER_FAILURE_SECONDS = 5, 0.5
# Seconds to wait for an unknown key: a little longer than a fetch may take.
WAIT_SECONDS = 2.5
MOST_WAITING = 8  # Waiting requests of a process, which has more threads (chassis/cli/server.py).
_log = logging.getLogger(__name__)


class SigningKeys(ABC):
    @abstractmethod
    def find(self, key_id: str | None, *, patient: bool) -> Sequence[PublicKey]:
        """The keys that a token's key id may mean. With `patient`, wait for the issuer.

        Raise AuthenticationError if there is none, UnavailableError if the issuer does not answer.
        """


class FixedKeys(SigningKeys):
    def __init__(self, keys: Sequence[PublicKey]) -> None:
        self._keys = keys

    def find(self, key_id: str | None, *, patient: bool) -> Sequence[PublicKey]:
        del patient
        return _candidates(self._keys, key_id)


class PublishedKeys(SigningKeys):
    """A key set at a URL (RFC 7517, section 5).

    The set is read again in the background when a token names an unknown key, or arrives more than
    five minutes after the last read. While the issuer does not answer, known keys stay valid for an
    hour.
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
        raise UnavailableError("The issuer's keys cannot be fetched.")

    def read_in_background(self) -> None:
        """Begin to read the set, unless a read is running or has just ended."""
        with self._starting:
            pause = PAUSE_AFTER_FAILURE_SECONDS if self._failed else PAUSE_SECONDS
            running = self._reader and self._reader.is_alive()
            if not running and time.monotonic() - self._asked_at > pause:
                self._asked_at = time.monotonic()
                self._reader = Thread(target=self._read, daemon=True)
                self._reader.start()

    def _wait(self, *, patient: bool) -> bool:
        """Return whether no read is running. With `patient`, first wait for a running one.

        At most MOST_WAITING requests wait; others return at once.
        """
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
        except Exception as error:  # Errors of the network, or of a malformed response.
            self._failed = True
            _log.warning("The key set cannot be read: %s (%s)", error, type(error).__name__)
        else:
            self._keys = keys
            self._read_at = time.monotonic()
            self._failed = False


def _candidates(keys: Sequence[PublicKey], key_id: str | None) -> Sequence[PublicKey]:
    """Several keys may share an id, and a single key needs none (RFC 7517, section 4.5)."""
    candidates = [key for key in keys if key.key_id == key_id]
    if not candidates and key_id is None and len(keys) == 1:
        return keys
    if not candidates:
        raise refusal("unknown key")
    return candidates
