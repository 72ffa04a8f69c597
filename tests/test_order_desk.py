"""The order desk of examples/order_desk, built on a new project: what a service grows into."""

import re
import shutil
from pathlib import Path

from conftest import ROOT, Report, command

DESK = ROOT / "examples/order_desk"
MOST_LINES = 1300
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
    ".venv/bin/python manage.py db upgrade",
    '.venv/bin/python manage.py db migrate -m "Create the order desk"',
    ".venv/bin/python manage.py db upgrade",
    "make format",
    ".venv/bin/python manage.py openapi write",
    "make check",
    "make test",
)


def build(project: Path) -> int:
    """Put it into the project. Return the lines that a person wrote."""
    lines = (IMPORTS + PROVIDERS).count("\n")
    for source in sorted(DESK.rglob("*.py")):
        target = project / source.relative_to(DESK)
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


def test_the_guide_shows_lines_of_the_order_desk(copy: Path) -> None:
    guide = (copy / "docs/fields-and-lists.md").read_text()
    desk = [" ".join(path.read_text().split()) for path in DESK.rglob("*.py")]
    passages = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert passages
    for passage in passages:
        assert any(" ".join(passage.split()) in text for text in desk), passage


def test_no_statement_of_it_was_written_by_hand() -> None:
    """What describes a statement is imported, and what sends one is called."""
    written = r"import .*\b(?:select|insert|update|delete|text|Statement)\b|\.exec\w*\("
    for path in DESK.rglob("*.py"):
        assert not re.findall(written, path.read_text()), path.name


def test_the_order_desk_is_built_on_a_new_project(
    copy: Path, empty_project: Path, tmp_path: Path, report: Report
) -> None:
    project = shutil.copytree(empty_project, tmp_path / "desk")
    (project / ".venv").symlink_to((copy / ".venv").resolve())
    lines = build(project)
    for line in COMMANDS:
        result = command(line, cwd=project)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    report.append(f"the order desk: {lines} lines by hand, tests included")
    assert lines <= MOST_LINES
