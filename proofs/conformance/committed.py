"""Write the template's openapi.json: what generated projects say, with and without the example.

python -m proofs.conformance.committed --python PROJECT/.venv/bin/python
"""

import argparse
import subprocess
import tempfile
from difflib import SequenceMatcher
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "{{cookiecutter.project_slug}}" / "openapi.json"
# Answers that occur nowhere else, and what stands in their places.
ANSWERS = {
    "project_name": "Name of the Project",
    "project_slug": "slug_of_the_project",
    "description": "Description of the project.",
}
VARIABLES = {
    "project_name": "{{ cookiecutter.__name_escaped }}",
    "project_slug": "{{ cookiecutter.project_slug }}",
    "description": "{{ cookiecutter.__description_escaped }}",
}


def lines_of(folder: Path, python: Path, *, example_resource: bool) -> list[str]:
    project = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context={**ANSWERS, "example_resource": example_resource},
        output_dir=str(folder / str(example_resource)),
        config_file=str(folder / "cookiecutter.yaml"),
    )
    subprocess.run([python.absolute(), "manage.py", "openapi", "write"], cwd=project, check=True)
    return (Path(project) / "openapi.json").read_text("utf-8").splitlines()


def merged(with_example: list[str], without: list[str]) -> str:
    """A tag takes the line break before it away, so each has a line of its own."""
    lines = []
    matcher = SequenceMatcher(None, with_example, without, autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind == "equal":
            lines += with_example[start:end]
            continue
        lines += ["{%- if cookiecutter.example_resource %}", *with_example[start:end]]
        if other_start < other_end:
            lines += ["{%- else %}", *without[other_start:other_end]]
        lines += ["{%- endif %}"]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="of a generated project")
    python = parser.parse_args().python
    with tempfile.TemporaryDirectory(prefix="committed-") as name:
        folder = Path(name)
        settings = f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n"
        (folder / "cookiecutter.yaml").write_text(settings)
        variants = [lines_of(folder, python, example_resource=kept) for kept in (True, False)]
    text = merged(*variants)
    for answer, value in ANSWERS.items():
        text = text.replace(value, VARIABLES[answer])
    TARGET.write_text(text, "utf-8", newline="\n")
    print(f"Wrote {TARGET.name}: {text.count(chr(10))} lines.")


if __name__ == "__main__":
    main()
