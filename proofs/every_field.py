"""Builds a resource with a field of every type and every filter in a generated project."""

import subprocess
from pathlib import Path

from proofs.harness.generation import environment

FIELDS = """
    text:str:20:sort notes:text:optional number:int:0..1000000:sort:filter big:bigint
    price:decimal:6.2:sort:filter enabled:bool:sort:filter day:date:sort:filter at:time:sort:filter
    moment:datetime:sort:filter code:uuid email:email:unique page:url
    state:enum:draft,open:sort:filter more:json words:array:str:3 numbers:array:int:3:optional
    site:ref:Site:set_null:optional maybe_text:str:20:optional:sort maybe_number:int:optional:sort
    maybe_price:decimal:6.2:optional:sort maybe_enabled:bool:optional:sort
    maybe_day:date:optional:sort maybe_at:time:optional:sort maybe_moment:datetime:optional:sort
    maybe_state:enum:draft,open:optional:sort
"""
GENERATE = ".venv/bin/python manage.py generate resource"
UPGRADE = ".venv/bin/python manage.py db upgrade"
COMMANDS = (
    UPGRADE,
    f"{GENERATE} Site name:str:20:unique --public",
    UPGRADE,
    f"{GENERATE} Gauge {' '.join(FIELDS.split())} --timestamps --public",
    UPGRADE,
)
# Filters that `generate` has no option for.
FILTERS = """\
    text_prefix = filters.prefix(Gauge, "text")
    email = filters.equal(Gauge, "email")
    has_text = filters.is_set(Gauge, "maybe_text")
    site_name = filters.related(Gauge, "site_id", Site, "name")
    site_names = filters.related(Gauge, "site_id", Site, "name", "one_of")
"""
INDEX = '    Index("ix_gauges_text_prefix", "text", postgresql_ops={"text": "text_pattern_ops"}),\n'
AFTERWARDS = (
    "make format",
    '.venv/bin/python manage.py db migrate -m "Find gauges by how they begin"',
    UPGRADE,
    ".venv/bin/python manage.py openapi write",
)
PROOFS = ("make check", "make test")


def build(project: Path, *, whole: bool = True) -> None:
    """Build the resource; `whole` also runs the project's checks and tests."""
    run(project, *COMMANDS)
    schema, table = (
        project / "src/api/schemas/v1/gauge.py",
        project / "src/infrastructure/models/gauges.py",
    )
    text = schema.read_text()
    declared = "    sort = Sort("
    assert declared in text
    text = text.replace(declared, f"{FILTERS}{declared}")
    schema.write_text(f"from src.domain.models.site import Site\n{text}")
    text = table.read_text()
    assert text.endswith(")\n")
    table.write_text(text.removesuffix(")\n") + INDEX + ")\n")
    run(project, *AFTERWARDS, *(PROOFS if whole else ()))


def run(project: Path, *lines: str) -> None:
    for line in lines:
        result = subprocess.run(
            ["bash", "-c", line],
            cwd=project,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if result.returncode:
            raise AssertionError(f"{line}\n{result.stdout}")
