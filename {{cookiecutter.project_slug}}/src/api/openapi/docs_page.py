"""The page at /docs. All that it loads comes from here, so it needs no network."""

from flask import Flask, Response, render_template_string, send_from_directory, url_for
from swagger_ui_bundle import swagger_ui_path

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


def register_docs_page(app: Flask, title: str) -> None:
    @app.get("/docs")
    def show_docs() -> str:
        return render_template_string(PAGE, title=title)

    @app.get("/docs/start.js")
    def send_docs_script() -> Response:
        return Response(SCRIPT % url_for("api-docs.openapi_json"), mimetype="text/javascript")

    @app.get("/docs/assets/<path:name>")
    def send_docs_asset(name: str) -> Response:
        return send_from_directory(swagger_ui_path, name)
