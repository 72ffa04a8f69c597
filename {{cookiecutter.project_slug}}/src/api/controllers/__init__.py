"""Registers every controller below: a module in this folder with a `blueprint`.

A subfolder is a version: what lies in v1/ is served under /<service prefix>/v1, what lies here
directly under /. One with `NEEDED_SETTINGS` is left out where one of them is empty.
"""

from importlib import import_module
from pkgutil import walk_packages

from flask_smorest import Api


def register_controllers(api: Api, service_prefix: str, settings: object) -> None:
    for module in walk_packages(__path__, f"{__name__}."):
        if module.ispkg:
            continue
        controller = import_module(module.name)
        if not all(getattr(settings, name) for name in getattr(controller, "NEEDED_SETTINGS", ())):
            continue
        blueprint = controller.blueprint
        *version, _name = module.name.removeprefix(f"{__name__}.").split(".")
        parts = [service_prefix.strip("/"), *version] if version else []
        prefix = "".join(f"/{part}" for part in parts if part)
        api.register_blueprint(blueprint, url_prefix=f"{prefix}{blueprint.url_prefix}")
