"""Rate limits: per subject of a token, or per address where the caller has no valid token."""

import logging
import re
import time
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import NamedTuple

from flask import Request, Response
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from chassis.core.circuit_breaker import CircuitBreaker
from chassis.core.request_scope import RequestScope
from chassis.http.fast.prepared_response import set_header
from chassis.http.flow.pipeline import Maker, Route, Step

# A store that does not answer in this time counts as down: each process then counts alone.
STORE_SECONDS = 0.25
RETRY_SECONDS = 2.0  # Until the next attempt to reach a store that was down.
UNLIMITED = {"health", "metrics"}  # Blueprints; openapi.json has their names as tags.

_log = logging.getLogger(__name__)


class Count(NamedTuple):
    limit: RateLimitItem  # The exceeded limit, else the shortest.
    is_broken: bool
    remaining: int
    reset_at: float  # Unix time.


class RateLimiter:
    def __init__(self, limits: str, store: str, name: str) -> None:
        """`limits` as `100 per minute; 5 per second`; `store` is a URL, memory: or redis:."""
        seconds: dict[str, float] = {}
        if not store.startswith("memory:"):
            seconds = dict.fromkeys(("socket_connect_timeout", "socket_timeout"), STORE_SECONDS)
        storage = storage_from_string(store, **seconds)
        self._limits = sorted(parse_many(limits), key=RateLimitItem.get_expiry)
        self._name = name
        self._shared = FixedWindowRateLimiter(storage)
        self._failures = storage.base_exceptions
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._breaker = CircuitBreaker(RETRY_SECONDS)

    def count(self, caller: str) -> Count:
        """Count one request of this caller. Each process counts alone while the store is down."""
        if not self._breaker.admits():
            return self._count(self._own, caller)
        try:
            counted = self._count(self._shared, caller)
        except self._failures as error:
            self._breaker.failed()
            _log.warning("The store of rate limits fails: this process counts alone. (%s)", error)
            return self._count(self._own, caller)
        self._breaker.worked()
        return counted

    def _count(self, counter: FixedWindowRateLimiter, caller: str) -> Count:
        broken = next((i for i in self._limits if not counter.hit(i, self._name, caller)), None)
        limit = broken or self._limits[0]
        reset_at, remaining = counter.get_window_stats(limit, self._name, caller)
        return Count(limit, broken is not None, remaining, reset_at)


def limit_rates(limits: str, store: str, name: str) -> Maker:
    """`limits` and `store` as RateLimiter takes them; an empty `limits` limits nothing."""
    limiter = RateLimiter(limits, store, name) if limits else None

    def step(route: Route) -> Step | None:
        if limiter is None or route.blueprint in UNLIMITED:
            return None
        return Step(before=partial(_count, limiter), after=_send_count)

    return step


def _count(limiter: RateLimiter, request: Request, scope: RequestScope) -> None:
    count = scope.rate = limiter.count(caller(request, scope))
    if count.is_broken:
        raise TooManyRequests(f"The limit is {count.limit}.")


def _send_count(response: Response, _request: Request, scope: RequestScope) -> None:
    count: Count | None = scope.rate
    if count:
        seconds = str(max(1, round(count.reset_at - time.time())))
        set_header(response, "X-RateLimit-Limit", str(count.limit.amount))
        set_header(response, "X-RateLimit-Remaining", str(count.remaining))
        set_header(response, "X-RateLimit-Reset", seconds)
        if count.is_broken:
            response.headers["Retry-After"] = seconds


def caller(request: Request, scope: RequestScope) -> str:
    if scope.principal:
        return f"subject {scope.principal.subject}"
    return f"address {network_of(request.remote_addr or '')}"


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The caller behind an address: for IPv6, the /64 network of one customer (RFC 6177).

    A port behind the address is ignored. Everything that is not an address counts as one caller.
    """
    match = re.fullmatch(r"\[(.*)\](?::\d+)?|([^:]*):\d+", address.strip())
    try:
        parsed = ip_address((match[1] or match[2]) if match else address.strip())
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((parsed.packed, 64), strict=False))
