from flask import Flask

from chassis import operations
from chassis.http.flow.application import Application
from chassis.http.flow.controllers import register_controllers
from chassis.observability import logs
from chassis.observability.metrics import configure_metrics
from chassis.observability.traces import register_telemetry
from chassis.openapi.description import register_openapi
from src.api import controllers
from src.api.middleware import pipeline
from src.config import Config
from src.cors import register_cors
from src.dependency_container import build_container
from src.error_handler import register_error_handlers
from src.logging import configure_logging


def create_app(config: Config) -> Flask:
    """Build the application. It does not use the database before the first request."""
    app = Application(config.name, secret_key=config.secret_key, max_body=config.max_body_bytes)
    metrics = configure_metrics(app)
    lines = configure_logging(config, metrics.lines_dropped.inc)
    container = app.extensions["container"] = build_container(config)
    register_telemetry(app, config, container.engines)  # Traces what the steps reject, too.
    app.pass_through(
        pipeline(
            observers=[logs.request_log(lines, config.log_level), metrics.count],
            authenticator=container.authenticator(),
            rates=(config.rate_limit, config.rate_limit_storage, config.name),
            maintenance=container.maintenance_service(),
            replica=bool(config.database_read_url),
            slots=config.threads,
            trusted_hosts=config.trusted_hosts,
            unit_of_work=container.unit_of_work,
        )
    )
    register_error_handlers(app)
    register_cors(app, config)
    about = {"title": config.title, "version": config.version, "description": config.description}
    api = register_openapi(app, **about, path=config.openapi_path, page=config.docs_path)
    register_controllers(api, config.service_prefix, controllers)
    register_controllers(api, config.service_prefix, operations)  # Last, also on /docs.
    app.start(proxy_hops=config.proxy_hops)
    return app
