"""Runs in Django's environment: sends the inputs of a file, and prints each status as JSON.

python -m proofs.django_gauges.answers INPUTS DATABASE_URL
"""

import json
import logging
import sys
from base64 import b64decode
from urllib.parse import parse_qsl, urlsplit

import django
from django.conf import settings


def main() -> None:
    inputs, url = sys.argv[1:]
    found = urlsplit(url)
    settings.configure(
        SECRET_KEY="only for a comparison",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="proofs.django_gauges.api",
        USE_TZ=True,
        INSTALLED_APPS=["rest_framework", "django_filters", "proofs.django_gauges"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": found.path.strip("/"),
                # The embedded PostgreSQL is reached by a socket, whose folder is an argument.
                "HOST": found.hostname or dict(parse_qsl(found.query)).get("host", ""),
                "PORT": found.port,
                "USER": found.username,
                "PASSWORD": found.password,
            }
        },
    )
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    logging.disable()
    call_command("migrate", run_syncdb=True, verbosity=0)
    for path in ("gauges", "sites"):
        # Mistakes of this program must not be counted as Django's.
        answer = Client().get(f"/my_service/v1/{path}")
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.content!r}")
    client = Client(raise_request_exception=False)
    with open(inputs, encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            body = b64decode(one["body"])
            kind = one["headers"].get("Content-Type", "application/json")
            try:
                answer = client.generic(one["method"], one["target"], body, kind)
                print(answer.status_code)
            except Exception:  # A server would answer 500 or close the connection.
                print(500)
            connection.close_if_unusable_or_obsolete()


if __name__ == "__main__":
    main()
