"""The public keys with which issuers sign tokens."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from threading import Lock, Thread
from typing import Any
from urllib.request import HTTPRedirectHandler, build_opener

from jwt import PyJWK, PyJWKSet

from chassis.core.errors import AuthenticationError, UnavailableError

FRESH_SECONDS, OLDEST_SECONDS = 300, 3600
# Between two looks at the issuer, so that strangers cannot have us ask it without end.
PAUSE_SECONDS, PAUSE_AFTER_FAILURE_SECONDS = 5, 0.5
ANSWER_SECONDS = 2
WAIT_SECONDS = 2.5  # For an answer, where no key is known that would do.
LONGEST_ANSWER = 1_000_000
_log = logging.getLogger(__name__)


class SigningKeys(ABC):
    @abstractmethod
    def find(self, key_id: object) -> PyJWK:
        """Raise AuthenticationError if there is none, UnavailableError if that cannot be known."""


class FixedKeys(SigningKeys):
    def __init__(self, keys: Mapping[str, PyJWK]) -> None:
        self._keys = keys

    def find(self, key_id: object) -> PyJWK:
        return _chosen(self._keys, key_id)


class PublishedKeys(SigningKeys):
    """A key set at a URL (RFC 7517, section 5).

    It is read again in the background from time to time, and when a token names a key that is not
    in it. While it cannot be read, what is known is good for an hour.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, PyJWK] = {}
        self._read_at = self._asked_at = -float("inf")
        self._failed = False
        self._starting = Lock()
        self._reader: Thread | None = None

    def find(self, key_id: object) -> PyJWK:
        age = time.monotonic() - self._read_at
        if age > FRESH_SECONDS:
            self._read_in_background()
        if age < OLDEST_SECONDS:
            try:
                return _chosen(self._keys, key_id)
            except AuthenticationError:
                self._read_in_background()
        if self._reader:
            self._reader.join(WAIT_SECONDS)
        if time.monotonic() - self._read_at < OLDEST_SECONDS and not self._failed:
            return _chosen(self._keys, key_id)
        raise UnavailableError("The keys of those who issue tokens cannot be had.")

    def _read_in_background(self) -> None:
        with self._starting:
            pause = PAUSE_AFTER_FAILURE_SECONDS if self._failed else PAUSE_SECONDS
            running = self._reader and self._reader.is_alive()
            if not running and time.monotonic() - self._asked_at > pause:
                self._asked_at = time.monotonic()
                self._reader = Thread(target=self._read, daemon=True)
                self._reader.start()

    def _read(self) -> None:
        try:
            found = PyJWKSet.from_json(_content(self._url).decode())
        except Exception as error:  # Of the network, or of whatever was answered.
            self._failed = True
            _log.warning("The key set cannot be read: %s (%s)", error, type(error).__name__)
        else:
            self._keys = {str(key.key_id): key for key in found.keys if key.public_key_use != "enc"}
            self._read_at = time.monotonic()
            self._failed = False


def _chosen(keys: Mapping[str, PyJWK], key_id: object) -> PyJWK:
    if key_id is None and len(keys) == 1:
        return next(iter(keys.values()))
    if not isinstance(key_id, str) or key_id not in keys:
        raise AuthenticationError("The token is signed with a key that is not known.")
    return keys[key_id]


class _NoRedirect(HTTPRedirectHandler):
    """The keys are where the configuration says."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _content(url: str) -> bytes:
    """In time also if the answer comes a byte at a time."""
    until, content = time.monotonic() + ANSWER_SECONDS, b""
    with build_opener(_NoRedirect).open(url, timeout=ANSWER_SECONDS) as answer:
        while part := answer.read1(65536):
            content += part
            if time.monotonic() > until or len(content) > LONGEST_ANSWER:
                raise ValueError("It is too slow, or too long.")
    return content
