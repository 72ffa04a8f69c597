"""Registers every controller of a package: a module in it with a `blueprint`.

A subfolder is a version: what lies in v1/ is served under /<service prefix>/v1, what lies in the
package itself directly under /.
"""

from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from flask_smorest import Api, Blueprint


def register_controllers(api: Api, service_prefix: str, package: ModuleType) -> None:
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        if module.ispkg:
            continue
        controller = import_module(module.name)
        *version, _name = module.name.removeprefix(f"{package.__name__}.").split(".")
        mount(api, controller.blueprint, service_prefix, *version)


def mount(api: Api, blueprint: Blueprint, service_prefix: str, *version: str) -> None:
    """Serve it below its version, if it has one. Versions after the first are in its name too."""
    parts = [service_prefix.strip("/"), *version] if version else []
    prefix = "".join(f"/{part}" for part in parts if part)
    later = version if version != ("v1",) else ()
    api.register_blueprint(
        blueprint,
        name="_".join([blueprint.name, *later]),
        url_prefix=f"{prefix}{blueprint.url_prefix}",
    )
