"""Checks at the start that a view takes the parameters of its path, by their names."""

import inspect
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from chassis.http.flow.controllers import ControllerError, injected

# The wrappers of these packages pass on every parameter of the path.
PASS_ON = {"chassis", "dependency_injector", "flask_smorest", "webargs"}
ADD_VALUES = {"webargs.core", "flask_smorest.pagination"}  # These wrappers add values to them.
BY_NAME = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def require_path_parameters(app: Flask) -> None:
    """Raise ControllerError if a path or its view has a parameter that the other lacks.

    What cannot be known at the start is not refused: a project's own wrapper, a class of views or a
    preprocessor of the URL's values may take and add any.
    """
    if any(app.url_value_preprocessors.values()):
        return
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if not hasattr(view, "view_class"):
            for sentence in _differences(rule, view):
                raise ControllerError(sentence)


def _differences(rule: Rule, view: Any) -> Iterator[str]:
    function, passed = receiver(view)
    parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
    taken = [one.name for one in parameters if one.kind in BY_NAME]
    place = f"{function.__module__}.{function.__qualname__}"
    if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters):
        for name in sorted(rule.arguments.difference(taken)):
            near = get_close_matches(name, set(taken) - rule.arguments, 1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            yield (
                f"{place} does not take {name!r}, which is in its path {rule.rule}{hint} "
                "Give the parameter the same name in both."
            )
    if ADD_VALUES.isdisjoint(passed):
        optional = {one.name for one in parameters if one.default is not one.empty}
        for name in sorted({*taken} - optional - rule.arguments - injected(view)):
            yield (
                f"{place} takes {name!r}, which is not in its path {rule.rule}. "
                "Add it to the path, or take it out of the view."
            )


def receiver(view: Any) -> tuple[Any, set[str]]:
    """The function that gets the path's parameters, and the modules of the wrappers above it."""
    passed: set[str] = set()
    while hasattr(view, "__wrapped__"):
        module = getattr(view, "__globals__", {}).get("__name__", "")  # wraps() sets __module__.
        if module.partition(".")[0] not in PASS_ON:
            break
        passed.add(module)
        view = view.__wrapped__
    return view, passed
