"""Wires the dependency container: operations get the services that they name."""

import inspect
import warnings
from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from pkgutil import walk_packages
from types import FunctionType, ModuleType
from typing import get_type_hints

from dependency_injector.containers import Container
from dependency_injector.providers import BaseSingleton, Factory
from dependency_injector.wiring import UnresolvedMarkerWarning

from chassis.core.errors import CodeError


def wire(container: Container, *packages: ModuleType) -> None:
    """Wire the packages.

    Raise CodeError with every name that no provider has, and every argument that a provider lacks.
    """
    unknown = [sentence for package in packages for sentence in _unknown(container, package)]
    if wrong := [*unknown, *_incomplete(container)]:
        raise CodeError(" ".join(wrong))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnresolvedMarkerWarning)
        try:
            container.wire(packages=packages, warn_unresolved=True)
        except UnresolvedMarkerWarning as warning:
            raise CodeError(f"The container has no such provider: {warning}.") from warning
    if unit_of_work := container.providers.get("unit_of_work"):
        unit_of_work()  # Fails at the start, not in the first request, if a repository is missing.


def _unknown(container: Container, package: ModuleType) -> Iterator[str]:
    for found in walk_packages(package.__path__, f"{package.__name__}."):
        for name, member in vars(import_module(found.name)).items():
            for wanted in _names(member):
                if wanted.partition(".")[0] not in container.providers:
                    near = get_close_matches(wanted, container.providers, 1)
                    hint = f"; did you mean {near[0]!r}?" if near else "."
                    place = f"{found.name}.{name}"
                    yield f"{place} asks the container for {wanted!r}, which it does not have{hint}"


def _incomplete(container: Container) -> Iterator[str]:
    """Return sentences about arguments that a provider would lack when it is first used."""
    for name, provider in container.providers.items():
        if isinstance(provider, BaseSingleton | Factory) and isinstance(provider.provides, type):
            try:
                inspect.signature(provider.provides).bind(*provider.args, **provider.kwargs)
            except TypeError as error:
                yield (
                    f"The container's {name} cannot make a {provider.provides.__name__}: {error}. "
                    "Give the provider what its __init__ takes, in that order."
                )


def _names(member: object) -> Iterator[str]:
    if isinstance(member, FunctionType):
        for hint in get_type_hints(inspect.unwrap(member), include_extras=True).values():
            for marker in getattr(hint, "__metadata__", ()):
                if isinstance(wanted := getattr(marker, "provider", None), str):
                    yield wanted
