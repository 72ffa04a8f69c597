"""The project that this process serves: everything that the chassis needs to know of it."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any


@dataclass(frozen=True)
class Project:
    """`root` is the folder with pyproject.toml; `package` is the name of the team's package.

    Modules of the package are imported when they are first used.
    """

    root: Path
    package: str

    @property
    def name(self) -> str:
        return self.about["name"]

    @property
    def about(self) -> dict[str, str]:
        """Name, title, version and description, as pyproject.toml has them.

        The title is in [tool.chassis]; without one, the name is the title.
        """
        return dict(_about(self.root / "pyproject.toml"))

    @property
    def alembic_file(self) -> Path:
        """The file with Alembic's settings."""
        return self.root / "pyproject.toml"

    @property
    def dotenv(self) -> Path:
        return self.root / ".env"

    @property
    def embedded_data(self) -> Path:
        return self.root / ".postgres"

    @property
    def document(self) -> Path:
        """The committed description of the API."""
        return self.root / "openapi.json"

    @property
    def versions(self) -> Path:
        return self.root / "migrations" / "versions"

    @property
    def config_type(self) -> Any:
        return self.module("config").Config

    @property
    def create_app(self) -> Any:
        return self.module("create_app").create_app

    @property
    def container_type(self) -> Any:
        return self.module("dependency_container").Container

    @property
    def build_container(self) -> Any:
        """The function that makes the container and wires operations and tasks to it."""
        return self.module("dependency_container").build_container

    @property
    def unit_of_work_type(self) -> Any:
        return self.module("services.ports").UnitOfWork

    @property
    def uses_database(self) -> bool:
        """Whether the project's container has a unit of work.

        The source is read and not imported: settings and migrations need no controllers.
        """
        return _uses_database(self.root / self.package / "dependency_container.py")

    @property
    def metadata(self) -> Any:
        """The metadata of all tables in the modules of `infrastructure.models`."""
        for name in self.modules("infrastructure.models"):
            self.module(f"infrastructure.models.{name}")
        return self.module("infrastructure.databases.metadata").metadata

    def commands(self) -> list[str]:
        """The project's own commands of manage.py: the modules of its folder `commands`."""
        if not (self.root / self.package / "commands").is_dir():
            return []
        return [name.replace("_", "-") for name in self.modules("commands")]

    def command(self, name: str) -> Any:
        """The object `command` of a module in `commands`; None without such a module."""
        if name not in self.commands():
            return None
        return self.module(f"commands.{name.replace('-', '_')}").command

    def module(self, name: str) -> Any:
        return import_module(f"{self.package}.{name}")

    def modules(self, package: str) -> Iterator[str]:
        """The names of the modules in one of the project's packages."""
        return (module.name for module in iter_modules(self.module(package).__path__))


@cache
def _about(pyproject: Path) -> dict[str, str]:
    tables = tomllib.loads(pyproject.read_text("utf-8"))
    about = {key: tables["project"][key] for key in ("name", "version", "description")}
    title = tables.get("tool", {}).get("chassis", {}).get("title")
    return {"title": title or about["name"], **about}


@cache
def _uses_database(container: Path) -> bool:
    targets = (
        target
        for node in ast.walk(ast.parse(container.read_text("utf-8"), container))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )
    return any(getattr(target, "id", "") == "unit_of_work" for target in targets)


class _Current:
    project: Project | None = None


def use_project(project: Project) -> None:
    """Set the project of this process. The package's `__init__` calls this, before all else."""
    _Current.project = project


def current_project() -> Project:
    if _Current.project is None:
        raise RuntimeError(
            "No project was handed to the chassis: import the project's package first."
        )
    return _Current.project
