"""Files and commands that AGENTS.md names exist."""

import re
from pathlib import Path

from conftest import command

COMMANDS = re.compile(r"\.venv/bin/python manage\.py ([a-z]+(?: [a-z]+)?)")


def test_what_it_names_is_there(copy: Path, default_project: Path) -> None:
    text = (default_project / "AGENTS.md").read_text()
    names = set(re.findall(r"`((?:src|tests|docs|chassis)/[\w./]*)`", text))
    assert len(names) > 10
    for name in names - {"src/api/controllers/v2"}:  # The team creates these.
        assert (default_project / name).exists(), name
    for module in re.findall(r"`(chassis\.[\w.]+)`", text):
        path = default_project / module.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), module
    makefile = (default_project / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", text, re.MULTILINE):
        assert f".PHONY: {target}\n" in makefile, target
    for line in COMMANDS.findall(text):
        result = command(f".venv/bin/python manage.py {line} --help", cwd=copy)
        assert result.returncode == 0, result.stderr


def test_its_rules_are_those_that_are_checked(default_project: Path) -> None:
    contracts = (default_project / "pyproject.toml").read_text()
    order = re.search(r'containers = \["src"\].*?layers = \[(.*?)\]', contracts, re.DOTALL)
    assert order
    layers = re.findall(r'"(.*?)"', order[1])
    place = {
        ring: n for n, layer in enumerate(layers) for ring in layer.replace(":", "|").split(" | ")
    }
    assert place["api"] == place["infrastructure"] < place["services"] < place["domain"]
    assert place["dependency_container"] < place["api"]
