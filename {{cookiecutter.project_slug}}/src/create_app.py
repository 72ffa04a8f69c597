from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from src.api.access import register_access, register_identity, require_policies
from src.api.answered import observe_requests
from src.api.application import Application
from src.api.controllers import register_controllers
from src.api.input_gate import register_input_gate
from src.api.maintenance_gate import register_maintenance_gate
from src.api.metrics import count_request
from src.api.middleware import register_middleware
from src.api.openapi import register_openapi
from src.api.rate_limits import register_rate_limits
from src.api.read_after import register_read_after
from src.api.security_headers import register_security_headers
from src.api.turns import register_turns
from src.config import Config
from src.cors import register_cors
from src.dependency_container import build_container
from src.error_handler import register_error_handlers
from src.logging import configure_logging, request_log
from src.telemetry import register_telemetry


def create_app(config: Config) -> Flask:
    """Build the application. Nothing is asked of the database before the first request."""
    lines = configure_logging(config)
    app = Application(config.name, static_folder=None)
    app.debug = False  # FLASK_DEBUG would leave unforeseen errors to the server.
    app.secret_key = config.secret_key
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    container = app.extensions["container"] = build_container(config)
    register_telemetry(app, config, container.engines)
    register_security_headers(app)
    register_middleware(app)
    observe_requests(app, request_log(lines, config.log_level), count_request)
    register_identity(app)
    register_rate_limits(app, config.rate_limit, config.rate_limit_storage)
    register_maintenance_gate(app)
    register_access(app)
    register_input_gate(app, config.trusted_hosts)
    if config.database_read_url:
        register_read_after(app)
    register_turns(app, config.threads)
    register_error_handlers(app)
    register_cors(app, config)
    api = register_openapi(
        app, title=config.name, version=config.version, description=config.description
    )
    register_controllers(api, config.service_prefix)
    require_policies(app)
    if hops := config.proxy_hops:
        # Not the host: TRUSTED_HOSTS are asked for what the proxy passes on.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app
