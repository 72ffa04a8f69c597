"""The page of the API's document. The service serves all its files, so the page works offline."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, render_template_string, request, url_for
from swagger_ui_bundle import swagger_ui_path
from werkzeug.exceptions import NotFound

from chassis.http.access.policies import public

ASSETS = {
    "favicon-32x32.png": "image/png",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<link rel="icon" href="{{ url_for('send_docs_asset', name='favicon-32x32.png') }}">
<link rel="stylesheet" href="{{ url_for('send_docs_asset', name='swagger-ui.css') }}">
</head>
<body>
<div id="docs"></div>
<script src="{{ url_for('send_docs_asset', name='swagger-ui-bundle.js') }}"></script>
<script src="{{ url_for('send_docs_script') }}"></script>
</body>
</html>
"""
# A file, so that the content security policy can forbid inline scripts.
SCRIPT = """SwaggerUIBundle({url: "%s", dom_id: "#docs", deepLinking: true, validatorUrl: null});
"""

# Swagger UI needs data: images and inline styles.
POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'"
)


def register_docs_page(app: Flask, title: str, path: str) -> None:
    @app.get(path)
    @public
    def show_docs() -> tuple[str, dict[str, str]]:
        return render_template_string(PAGE, title=title), {"Content-Security-Policy": POLICY}

    @app.get(f"{path}/start.js")
    @public
    def send_docs_script() -> Response:
        return Response(SCRIPT % url_for("api-docs.openapi_json"), mimetype="text/javascript")

    @app.get(f"{path}/assets/<path:name>")
    @public
    def send_docs_asset(name: str) -> Response:
        if name not in ASSETS:
            raise NotFound
        content, tag = _asset(name)
        response = Response(content, mimetype=ASSETS[name])
        response.set_etag(tag)
        return response.make_conditional(request)  # type: ignore[return-value]


@cache
def _asset(name: str) -> tuple[bytes, str]:
    """Content and tag of a file, from memory, so that the response is sent in one piece.

    A file would be sent in many pieces, and a thread would wait for a slow client at each.
    """
    content = Path(swagger_ui_path, name).read_bytes()
    return content, sha256(content).hexdigest()[:16]
