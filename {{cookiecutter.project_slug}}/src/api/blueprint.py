"""What controllers register their operations with."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask_smorest

from src.api.conditional import note_entity
from src.api.requests import StrictParser

View = Callable[..., Any]


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types.
    ARGUMENTS_PARSER = StrictParser()

    def response(self, *arguments: Any, **options: Any) -> Callable[[View], View]:
        decorate: Callable[[View], View] = super().response(*arguments, **options)

        def decorated(view: View) -> View:
            @wraps(view)
            def noted(*values: Any, **named: Any) -> Any:
                answer = view(*values, **named)
                note_entity(answer)
                return answer

            return decorate(noted)

        return decorated
