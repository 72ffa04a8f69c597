"""Registers every controller of a package: every module with a `blueprint`.

A subfolder is a version: a controller in v1/ is served below /<service prefix>/v1, a controller in
the package itself below /.
"""

import inspect
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, get_type_hints

from dependency_injector import wiring
from flask import Flask
from flask_smorest import Api, Blueprint

from chassis.core.errors import CodeError
from chassis.http.access.policies import operations
from chassis.project import current_project


class ControllerError(CodeError):
    """A controller would not be served as meant; the text names the place and the correction."""


def register_controllers(api: Api, service_prefix: str, package: ModuleType) -> None:
    """Register the controllers; without a database, not those with `NEEDS_DATABASE = True`.

    Raise ControllerError for a folder without __init__.py and a module without a blueprint.
    """
    _require_packages(package)
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        if module.ispkg:
            continue
        controller = import_module(module.name)
        _require_served(controller)
        if getattr(controller, "NEEDS_DATABASE", False) and not current_project().uses_database:
            continue
        *version, _name = module.name.removeprefix(f"{package.__name__}.").split(".")
        mount(api, controller.blueprint, service_prefix, *version)


def mount(api: Api, blueprint: Blueprint, service_prefix: str, *version: str) -> None:
    """Serve a blueprint below its version. Versions after the first are part of its name."""
    parts = [service_prefix.strip("/"), *version] if version else []
    prefix = "".join(f"/{part}" for part in parts if part)
    later = version if version != ("v1",) else ()
    api.register_blueprint(
        blueprint,
        name="_".join([blueprint.name, *later]),
        url_prefix=f"{prefix}{blueprint.url_prefix}",
    )


def _require_packages(package: ModuleType) -> None:
    for root in map(Path, package.__path__):
        for path in sorted(root.rglob("*.py")):
            folder = path.parent
            if not (folder / "__init__.py").exists():
                raise ControllerError(
                    f"{folder.relative_to(root.parent)}/ has no __init__.py, so {path.name} would "
                    "not be served. Add an empty __init__.py to that folder."
                )


def _require_served(controller: ModuleType) -> None:
    if not isinstance(getattr(controller, "blueprint", None), Blueprint):
        raise ControllerError(
            f"{controller.__name__} has no `blueprint`, so nothing in it would be served. Add "
            'blueprint = Blueprint("…", __name__, url_prefix="/…"), or move the file elsewhere.'
        )


def require_injected(app: Flask) -> None:
    """Raise ControllerError for an operation whose services would not be injected.

    The check looks at the registered function: @inject above the route has no effect on it.
    """
    for _, _, _, view in operations(app):
        if missing := _not_injected(view):
            function = inspect.unwrap(view)
            raise ControllerError(
                f"{function.__module__}.{function.__qualname__} would not get {missing}. Add "
                "@inject as the last decorator, directly above `def`, and take `from __future__ "
                "import annotations` out of the module if the module has this line."
            )


def injected(function: Any) -> set[str]:
    """The names of the parameters that an @inject supplies."""
    names: set[str] = set()
    while True:
        patched = wiring._patched_registry.get_callable(function)  # noqa: SLF001  # No public function tells.
        names |= patched.reference_injections.keys() if patched else set()
        if not hasattr(function, "__wrapped__"):
            return names
        function = function.__wrapped__


def _not_injected(view: Any) -> str | None:
    """The first parameter with a provider, if no @inject supplies it; else None."""
    function, supplied = inspect.unwrap(view), injected(view)
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        marks = (*getattr(hints.get(name), "__metadata__", ()), parameter.default)
        asks = any(type(mark).__module__ == wiring.__name__ for mark in marks)
        if asks and name not in supplied:
            return name
    return None
