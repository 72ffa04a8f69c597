#!/usr/bin/env python3
"""Write `.env` with new secrets; an existing file is never changed."""

import secrets
import string
import sys
from pathlib import Path

PATH = Path(__file__).resolve().parent.parent / ".env"
# Need no escape in a shell, a URL, dotenv or YAML.
SAFE_CHARACTERS = string.ascii_letters + string.digits
TEXT = """\
# development or production
ENVIRONMENT=development
# Signs what the service hands out; whoever has it can forge that.
SECRET_KEY={secret_key}
# Of the database's roles, where a container runs it: the superuser, the one that migrates, and
# the one with which the service works.
POSTGRES_PASSWORD={postgres_password}
MIGRATION_PASSWORD={migration_password}
SERVICE_PASSWORD={service_password}
# Of the broker, RabbitMQ.
RABBITMQ_PASSWORD={rabbitmq_password}
"""


def random_text(length: int) -> str:
    return "".join(secrets.choice(SAFE_CHARACTERS) for _ in range(length))


def main() -> int:
    try:
        PATH.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        print(".env exists and was kept.")
        return 0
    text = TEXT.format(
        secret_key=random_text(64),
        postgres_password=random_text(32),
        migration_password=random_text(32),
        service_password=random_text(32),
        rabbitmq_password=random_text(32),
    )
    PATH.write_text(text, encoding="utf-8", newline="\n")
    print(".env was written, with fresh secrets; git ignores it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
