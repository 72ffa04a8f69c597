"""The order desk of examples/order_desk on a generated project: what a service grows into."""

import shutil
import subprocess
from pathlib import Path

from proofs.generation import ROOT

DESK = ROOT / "examples/order_desk"
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
# What a person does then.
COMMANDS = (
    ".venv/bin/python manage.py db upgrade",
    '.venv/bin/python manage.py db migrate -m "Create the order desk"',
    ".venv/bin/python manage.py db upgrade",
    "make format",
    ".venv/bin/python manage.py openapi write",
    "make check",
    "make test",
)


def build(project: Path, desk: Path = DESK) -> int:
    """Put it into the project. Return the lines that a person wrote."""
    lines = (IMPORTS + PROVIDERS).count("\n")
    for source in sorted(desk.rglob("*.py")):
        target = project / source.relative_to(desk)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        lines += source.read_text().count("\n")
    container = project / "src/dependency_container.py"
    text = container.read_text()
    assert ANCHOR in text
    first = text.index("from src.services") if "from src.services" in text else text.index("\n\n\n")
    text = text[:first].rstrip("\n") + "\n" + IMPORTS + text[first:]
    container.write_text(text.replace(ANCHOR, ANCHOR + PROVIDERS))
    return lines


def complete(project: Path, desk: Path = DESK) -> None:
    """With the revision that creates its tables."""
    build(project, desk)
    for line in COMMANDS[:3]:
        subprocess.run(line, shell=True, cwd=project, check=True, capture_output=True)
