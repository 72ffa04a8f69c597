from flask import Request, request


def present_request() -> Request:
    """For whoever looks at it more than once: each look through Flask's proxy costs 0.7 us."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    return found
