"""Builds the example order_desk of version 2.0.0 on a project of that version."""

import shutil
import subprocess
from pathlib import Path

CONTAINER = "src/dependency_container.py"
IMPORTS = """\
from src.infrastructure.services.smtp_mailer import SmtpMailer
from src.services.customer_service import CustomerService
from src.services.order_service import OrderService
from src.services.product_service import ProductService
from src.services.tag_service import TagService
"""
ANCHOR = "        clock,\n    )\n"
PROVIDERS = """\
    mailer = Singleton(
        SmtpMailer,
        ServiceContainer.config.provided.smtp_host,
        ServiceContainer.config.provided.smtp_port,
        ServiceContainer.config.provided.mail_sender,
    )
    customer_service = Singleton(CustomerService, unit_of_work)
    product_service = Singleton(ProductService, unit_of_work)
    tag_service = Singleton(TagService, unit_of_work)
    order_service = Singleton(OrderService, unit_of_work, mailer)
"""
COMMANDS = (
    ("db", "upgrade"),
    ("db", "migrate", "-m", "Create the order desk"),
    ("db", "upgrade"),
)


def build(project: Path, desk: Path) -> None:
    """Add the order desk and its revision to a project that has no example resource."""
    shutil.copytree(desk, project, dirs_exist_ok=True)
    container = project / CONTAINER
    text = container.read_text("utf-8")
    assert text.count(ANCHOR) == 1
    before, end, after = text.partition("\n\n\n@replaces")
    container.write_text(
        f"{before}\n{IMPORTS.rstrip()}{end}{after}".replace(ANCHOR, ANCHOR + PROVIDERS), "utf-8"
    )
    for arguments in COMMANDS:
        command = [".venv/bin/python", "manage.py", *arguments]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
