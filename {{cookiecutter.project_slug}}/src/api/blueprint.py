"""What controllers register their operations with."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask_smorest

from src.api import access
from src.api.conditional import note_entity
from src.api.requests import StrictParser

View = Callable[..., Any]


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types.
    ARGUMENTS_PARSER = StrictParser()

    def public(self, view: View) -> View:
        """Anybody may call it."""
        return access.public(view)

    def requires(self, *scopes: str) -> Callable[[View], View]:
        """Only who has a token with each of these scopes may call it."""
        document = self.doc(security=[{"bearer": sorted(scopes)}])

        def declare(view: View) -> View:
            decorated: View = document(access.requires(*scopes)(view))
            return decorated

        return declare

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
