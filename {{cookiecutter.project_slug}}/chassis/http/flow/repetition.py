"""Serves a request again after its transaction collided with another one.

A repetition is safe: no response was sent, and an attempt that committed is not repeated.
"""

import random
import time
from functools import partial

from flask import Request, Response

from chassis.core.errors import CollisionError
from chassis.core.request_scope import RequestScope
from chassis.http.flow.pipeline import Route, Serve, Step
from chassis.http.input.streamed_body import streams_body
from chassis.http.output.etags import attempt_of

REPETITIONS = 3
LONGEST_PAUSE_SECONDS = 0.05


def repeat_collisions(route: Route) -> Step | None:
    if not route.is_operation:
        return None
    # A streamed body cannot be read again.
    repetitions = 0 if streams_body(route.view) else REPETITIONS
    return Step(around=partial(_repeat, repetitions))


def _repeat(repetitions: int, serve: Serve, request: Request, scope: RequestScope) -> Response:
    try:
        for _ in range(repetitions):
            scope.attempt = attempt = attempt_of(request)
            try:
                return serve()
            except CollisionError:
                if attempt.committed:
                    raise
            # A random pause, so that the two do not collide again.
            time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311
        scope.attempt = attempt_of(request)
        return serve()
    finally:
        scope.attempt = None
