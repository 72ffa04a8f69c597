"""Wires tasks to the dependency container: a task gets services by name, like a controller."""

import inspect
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import get_type_hints

from dependency_injector import wiring
from dependency_injector.containers import Container

from chassis.core.errors import CodeError
from chassis.jobs.tasks import Task, all_tasks
from chassis.wiring import wire


def wire_tasks(container: Container, package: ModuleType) -> None:
    """Register the tasks of each module. Raise CodeError where a service would not be injected."""
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    for task in all_tasks():
        _require_injection(task)
    wire(container, package)


def _require_injection(task: Task) -> None:
    hints = get_type_hints(inspect.unwrap(task.function), include_extras=True).values()
    # Dependency Injector has no public way to ask.
    patched = wiring._patched_registry  # noqa: SLF001
    asks = any(hasattr(hint, "__metadata__") for hint in hints)
    if asks and not patched.has_callable(task.function):
        raise CodeError(
            f"{task.function.__module__}.{task.function.__name__} would not get its services. "
            "Add @inject as the last decorator, directly above `def`."
        )
