"""The page at /docs. All that it loads comes from here, so it needs no network."""

from flask import Flask, Response, render_template_string, send_from_directory, url_for
from swagger_ui_bundle import swagger_ui_path

from chassis.http.access.policies import public

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
# A file of its own, so that a policy may forbid scripts in pages.
SCRIPT = """SwaggerUIBundle({url: "%s", dom_id: "#docs", deepLinking: true, validatorUrl: null});
"""

# Its pictures are in its style sheet, and it styles elements one by one.
POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'"
)


def register_docs_page(app: Flask, title: str) -> None:
    @app.get("/docs")
    @public
    def show_docs() -> tuple[str, dict[str, str]]:
        return render_template_string(PAGE, title=title), {"Content-Security-Policy": POLICY}

    @app.get("/docs/start.js")
    @public
    def send_docs_script() -> Response:
        return Response(SCRIPT % url_for("api-docs.openapi_json"), mimetype="text/javascript")

    @app.get("/docs/assets/<path:name>")
    @public
    def send_docs_asset(name: str) -> Response:
        return send_from_directory(swagger_ui_path, name)
