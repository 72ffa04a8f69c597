from flask import Flask

from src.api.application import Application
from src.api.controllers import register_controllers
from src.api.input_gate import register_input_gate
from src.api.maintenance_gate import register_maintenance_gate
from src.api.middleware import register_middleware
from src.api.openapi import register_openapi
from src.config import Config
from src.cors import register_cors
from src.dependency_container import build_container
from src.error_handler import register_error_handlers
from src.logging import configure_logging


def create_app(config: Config) -> Flask:
    """Build the application. Nothing is asked of the database before the first request."""
    configure_logging(config)
    app = Application(config.name, static_folder=None)
    app.secret_key = config.secret_key
    app.config["TRUSTED_HOSTS"] = list(config.trusted_hosts) or None
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.extensions["container"] = build_container(config)
    register_middleware(app)
    register_maintenance_gate(app)
    register_input_gate(app)
    register_error_handlers(app)
    register_cors(app, config)
    api = register_openapi(
        app, title=config.name, version=config.version, description=config.description
    )
    register_controllers(api, config.service_prefix, config)
    return app
