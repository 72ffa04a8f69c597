import random
import time

from flask import Flask, Response, request

from src.api.conditional import attempt, complete
from src.api.idempotency import answer_once
from src.domain.exceptions import CollisionError
from src.services.attempt import Attempt, attempting

RETRIES = 3
LONGEST_PAUSE = 0.05


class Application(Flask):
    """Flask, where each view is dispatched so that it keeps what HTTP promises of it.

    A view that collided with another transaction is dispatched again: nothing was sent, and unless
    something was committed, nothing has happened.
    """

    def dispatch_request(self) -> Response:
        if request.routing_exception or request.method == "OPTIONS":
            return self.make_response(super().dispatch_request())
        for _ in range(RETRIES):
            this = attempt()
            try:
                return self._dispatch(this)
            except CollisionError:
                if this.committed:
                    raise
            time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  # Not both at once again.
        return self._dispatch(attempt())

    def _dispatch(self, this: Attempt) -> Response:
        with attempting(this):
            return answer_once(self._answer)

    def _answer(self) -> Response:
        return complete(self.make_response(super().dispatch_request()))
