from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from chassis import operations
from chassis.http.access.cross_origin import register_cors
from chassis.http.access.policies import register_access, register_identity, require_policies
from chassis.http.access.rate_limits import register_rate_limits
from chassis.http.flow.application import Application
from chassis.http.flow.controllers import register_controllers
from chassis.http.flow.fair_queue import register_turns
from chassis.http.flow.maintenance_gate import register_maintenance_gate
from chassis.http.flow.read_your_writes import register_read_after
from chassis.http.flow.request_ids import register_middleware
from chassis.http.flow.request_record import observe_requests
from chassis.http.input.input_gate import register_input_gate
from chassis.http.output.problems import register_error_handlers
from chassis.http.output.security_headers import register_security_headers
from chassis.observability.logs import configure_logging, request_log
from chassis.observability.metrics import LINES_DROPPED, count_request
from chassis.observability.traces import register_telemetry
from chassis.openapi.description import register_openapi
from src.api import controllers
from src.config import Config
from src.dependency_container import build_container


def create_app(config: Config) -> Flask:
    """Build the application. Nothing is asked of the database before the first request."""
    lines = configure_logging(config, LINES_DROPPED.inc)
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
    register_cors(app, config.cors_origins, replica=bool(config.database_read_url))
    api = register_openapi(
        app, title=config.name, version=config.version, description=config.description
    )
    register_controllers(api, config.service_prefix, operations)
    register_controllers(api, config.service_prefix, controllers)
    require_policies(app)
    if hops := config.proxy_hops:
        # Not the host: TRUSTED_HOSTS are asked for what the proxy passes on.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app
