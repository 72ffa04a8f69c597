"""The operation at `/`: the service's name and version, and links to its descriptions."""

from typing import Any

from flask import current_app, url_for

from chassis.http.flow.blueprint import UndocumentedBlueprint

# `/` leads to openapi.json, which describes the API. So `/` is not part of the API itself.
blueprint = UndocumentedBlueprint("index", __name__, url_prefix="")


@blueprint.get("/")
@blueprint.public
@blueprint.response(200)
def read_index() -> dict[str, Any]:
    """Name, version and links, with the link relations of RFC 8631, section 4."""
    return {
        "name": current_app.config["API_TITLE"],
        "version": current_app.config["API_VERSION"],
        "links": {
            "service-doc": url_for("show_docs"),
            "service-desc": url_for("api-docs.openapi_json"),
            "status": url_for("health.read_readiness"),
        },
    }
