"""Write the template's openapi.json from the documents of projects with different answers.

python -m proofs.conformance.committed --python PROJECT/.venv/bin/python
"""

import subprocess
import tempfile
from difflib import SequenceMatcher
from itertools import groupby, product
from operator import itemgetter
from pathlib import Path

from cookiecutter.main import cookiecutter

from proofs.harness.entry import parser

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "{{cookiecutter.project_slug}}" / "openapi.json"
# Answers with unmistakable values, and the template variables that replace these values.
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


# Answers that change a project's operations, and the Jinja condition of each choice.
CHOICES: dict[str, dict[object, str]] = {
    "example_resource": {
        True: "cookiecutter.example_resource",
        False: "not cookiecutter.example_resource",
    },
    "background_jobs": {
        "celery": 'cookiecutter.background_jobs == "celery"',
        "none": 'cookiecutter.background_jobs == "none"',
    },
    "file_storage": {
        "s3": 'cookiecutter.file_storage == "s3"',
        "none": 'cookiecutter.file_storage == "none"',
    },
}
Answers = tuple[object, ...]  # One answer for each key of CHOICES, in its order.
EVERY: list[Answers] = list(product(*CHOICES.values()))


def lines_of(folder: Path, python: Path, answers: Answers) -> list[str]:
    project = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context={**ANSWERS, **dict(zip(CHOICES, answers, strict=True))},
        output_dir=str(folder / "-".join(map(str, answers))),
        config_file=str(folder / "cookiecutter.yaml"),
    )
    subprocess.run([python.absolute(), "manage.py", "openapi", "write"], cwd=project, check=True)
    return (Path(project) / "openapi.json").read_text("utf-8").splitlines()


def merged(variants: dict[Answers, list[str]]) -> str:
    """Merge the documents. Lines that not all have stand between Jinja's `if` and `endif`."""
    every: list[tuple[str, set[Answers]]] = []
    for answers, lines in variants.items():
        known = [line for line, _ in every]
        together = []
        for kind, start, end, other_start, other_end in SequenceMatcher(
            None, known, lines, autojunk=False
        ).get_opcodes():
            here = {answers} if kind == "equal" else set()
            together += [(line, found | here) for line, found in every[start:end]]
            if kind != "equal":
                together += [(line, {answers}) for line in lines[other_start:other_end]]
        every = together
    result = []
    for found, run in groupby(every, key=itemgetter(1)):
        chosen = [line for line, _ in run]
        if len(found) < len(variants):
            chosen = [f"{{%- if {condition(found)} %}}", *chosen, "{%- endif %}"]
        result += chosen
    return "\n".join(result) + "\n"


def condition(found: set[Answers]) -> str:
    """Return a Jinja condition: of one answer where that decides, else all combinations."""
    for number, values in enumerate(CHOICES.values()):
        for value, text in values.items():
            if found == {one for one in EVERY if one[number] == value}:
                return text
    combinations = [
        " and ".join(values[answer] for values, answer in zip(CHOICES.values(), one, strict=True))
        for one in sorted(found, key=EVERY.index)
    ]
    return " or ".join(f"({one})" for one in combinations)


def main() -> None:
    options = parser("conformance.committed", __doc__, project=False)
    options.add_argument("--python", type=Path, required=True, help="of a generated project")
    python = options.parse_args().python
    with tempfile.TemporaryDirectory(prefix="committed-") as name:
        folder = Path(name)
        settings = f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n"
        (folder / "cookiecutter.yaml").write_text(settings)
        text = merged({answers: lines_of(folder, python, answers) for answers in EVERY})
    for answer, value in ANSWERS.items():
        text = text.replace(value, VARIABLES[answer])
    TARGET.write_text(text, "utf-8", newline="\n")
    print(f"Wrote {TARGET.name}: {text.count(chr(10))} lines.")


if __name__ == "__main__":
    main()
