from typing import Any

from flask import Flask


def view_of(app: Flask, endpoint: str, method: str) -> Any:
    """The function that serves a method; flask.views.MethodView has one for each method."""
    view = app.view_functions[endpoint]
    methods = getattr(view, "view_class", None)
    name = "get" if method == "HEAD" else method.lower()
    return getattr(methods, name) if methods else view
