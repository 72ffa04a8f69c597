import time

from flask import Flask, Response, g, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit

# A store that does not answer in this time is down; each process then counts for itself.
STORE_SECONDS = 0.25
UNLIMITED = {"health", "metrics"}


def register_rate_limits(app: Flask, limits: str, store: str) -> None:
    """`limits` hold for each subject; for an address, where it is not known who asks."""
    if not limits:
        return
    seconds: dict[str, float] = {}
    if not store.startswith("memory:"):
        seconds = dict.fromkeys(("socket_connect_timeout", "socket_timeout"), STORE_SECONDS)
    limiter = Limiter(
        caller,
        app=app,
        application_limits=[ApplicationLimit(limits, exempt_when=_is_unlimited)],
        storage_uri=store,
        storage_options=seconds,  # type: ignore[arg-type]  # redis takes fractions.
        in_memory_fallback_enabled=True,
        swallow_errors=True,  # Of requests that meet the store's end at the same time.
        key_prefix=app.name,
    )

    @app.after_request
    def tell_limit(response: Response) -> Response:
        """The limiter would do it, and change every Retry-After."""
        limit = limiter.current_limit
        try:
            told = _told(limit) if limit else {}
        except limiter.storage.base_exceptions:  # It went down since it was asked.
            told = {}
        response.headers.update(told)
        return response


def _told(limit: RequestLimit) -> dict[str, str]:
    seconds = max(1, round(limit.reset_at - time.time()))
    told = {
        "X-RateLimit-Limit": str(limit.limit.amount),
        "X-RateLimit-Remaining": str(limit.remaining),
        "X-RateLimit-Reset": str(seconds),
    }
    return told | {"Retry-After": str(seconds)} if limit.breached else told


def caller() -> str:
    """Who asks, as far as it is known."""
    return f"subject {g.principal.subject}" if g.principal else f"address {request.remote_addr}"


def _is_unlimited() -> bool:
    return request.blueprint in UNLIMITED
