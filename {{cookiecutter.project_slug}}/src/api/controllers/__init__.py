"""Registers every controller below: a module in this folder with a `blueprint`.

A subfolder is a version: what lies in v1/ is served under /<service prefix>/v1, what lies here
directly under /.
"""

from importlib import import_module
from pkgutil import walk_packages

from flask_smorest import Api


def register_controllers(api: Api, service_prefix: str) -> None:
    for module in walk_packages(__path__, f"{__name__}."):
        if module.ispkg:
            continue
        blueprint = import_module(module.name).blueprint
        *version, _name = module.name.removeprefix(f"{__name__}.").split(".")
        parts = [service_prefix.strip("/"), *version] if version else []
        prefix = "".join(f"/{part}" for part in parts if part)
        api.register_blueprint(blueprint, url_prefix=f"{prefix}{blueprint.url_prefix}")
