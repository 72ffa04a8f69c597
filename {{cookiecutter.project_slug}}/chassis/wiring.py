"""Wires the dependency container: operations get the services that they name."""

import inspect
import warnings
from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pkgutil import walk_packages
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

from dependency_injector.containers import Container
from dependency_injector.providers import (
    AttributeGetter,
    BaseSingleton,
    Dependency,
    Factory,
    ProvidedInstance,
    Provider,
)
from dependency_injector.wiring import UnresolvedMarkerWarning

from chassis.core.errors import CodeError

# These packages of the chassis have tables of their own.
NEED_DATABASE = {"jobs": "Background jobs need", "storage": "Stored files need"}


def wire(container: Container, *packages: ModuleType) -> None:
    """Wire the packages.

    Raise CodeError with every requested name without a provider, every argument that a provider
    lacks, every setting that an argument reads and the configuration does not have, and every
    package that needs a database in a project that uses none.
    """
    unknown = [sentence for package in packages for sentence in _unknown(container, package)]
    if wrong := [*_lacking(container), *unknown, *_incomplete(container), *_unset(container)]:
        raise CodeError(" ".join(wrong))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnresolvedMarkerWarning)
        try:
            container.wire(packages=packages, warn_unresolved=True)
        except UnresolvedMarkerWarning as warning:
            raise CodeError(f"The container has no such provider: {warning}.") from warning
    if unit_of_work := container.providers.get("unit_of_work"):
        unit_of_work()  # Fails at the start, not in the first request, if a repository is missing.


def _lacking(container: Container) -> Iterator[str]:
    """Return sentences about packages of the chassis that need a database and have none."""
    provider = container.providers.get("unit_of_work")
    if provider is not None and getattr(provider, "provides", None) is None:
        for room, needing in NEED_DATABASE.items():
            if find_spec(f"chassis.{room}"):
                yield f"{needing} the database: the container has no `unit_of_work`."


def _unknown(container: Container, package: ModuleType) -> Iterator[str]:
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        for name, member in vars(import_module(module.name)).items():
            for wanted in _names(member):
                if wanted.partition(".")[0] not in container.providers:
                    near = get_close_matches(wanted, container.providers, 1)
                    hint = f"; did you mean {near[0]!r}?" if near else "."
                    place = f"{module.name}.{name}"
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


def _unset(container: Container) -> Iterator[str]:
    """Return sentences about arguments `config.provided.name` where `name` is no setting."""
    for name, provider in container.providers.items():
        seen = {id(other) for other in container.providers.values()}
        for getter in _getters(provider, seen):
            source, attribute = _provided(getter), str(getter.name)
            if source is not None and not _may_have(source, attribute):
                near = get_close_matches(attribute, dir(source), 1)
                hint = f"; did you mean {near[0]!r}?" if near else "."
                yield (
                    f"The container's {name} reads the setting {attribute!r}, which "
                    f"{type(source).__name__} does not have{hint}"
                )


def _getters(provider: Provider[Any], seen: set[int]) -> Iterator[AttributeGetter]:
    """The attributes that the arguments of a provider read; `seen` has the ids of providers."""
    if isinstance(provider, AttributeGetter):
        yield provider
    for argument in provider.related:
        if id(argument) not in seen:
            seen.add(id(argument))
            yield from _getters(argument, seen)


def _provided(getter: AttributeGetter) -> object:
    """The object that `getter` reads, such as the settings; None if it does not exist yet."""
    provided = getter.provides
    source = provided.provides if isinstance(provided, ProvidedInstance) else None
    return source() if isinstance(source, Dependency) and source.is_defined else None


def _may_have(source: object, name: str) -> bool:
    """Whether the object has or may have the attribute; the check reads no property."""
    kind = type(source)
    return hasattr(kind, name) or hasattr(kind, "__getattr__") or name in dir(source)


def _names(member: object) -> Iterator[str]:
    if isinstance(member, FunctionType):
        for hint in get_type_hints(inspect.unwrap(member), include_extras=True).values():
            for marker in getattr(hint, "__metadata__", ()):
                if isinstance(wanted := getattr(marker, "provider", None), str):
                    yield wanted
