"""Write the template's openapi.json: what generated projects say, with each combination of switches.

python -m proofs.conformance.committed --python PROJECT/.venv/bin/python
"""

import argparse
import itertools
import json
import subprocess
import tempfile
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "{{cookiecutter.project_slug}}" / "openapi.json"
# Answers that occur nowhere else, and what stands in their places.
ANSWERS = {"project_slug": "slug_of_the_project", "description": "Description of the project."}
VARIABLES = {
    "project_slug": "{{ cookiecutter.project_slug }}",
    "description": "{{ cookiecutter.__description_escaped }}",
}
# Which questions change the document, how each is answered, on and off, and what a template asks.
SWITCHES: dict[str, tuple[tuple[object, object], str]] = {
    "example_resource": ((True, False), "cookiecutter.example_resource"),
    "background_jobs": (("celery", "none"), 'cookiecutter.background_jobs == "celery"'),
    "file_storage": (("s3", "none"), 'cookiecutter.file_storage == "s3"'),
}
Variant = tuple[bool, ...]  # Whether each switch is on.
VARIANTS: list[Variant] = list(itertools.product([True, False], repeat=len(SWITCHES)))


def lines_of(folder: Path, python: Path, variant: Variant) -> list[str]:
    answers = {
        name: values[not on]
        for on, (name, (values, _)) in zip(variant, SWITCHES.items(), strict=True)
    }
    project = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context={**ANSWERS, **answers},
        output_dir=str(folder / "".join(str(int(on)) for on in variant)),
        config_file=str(folder / "cookiecutter.yaml"),
    )
    subprocess.run([python.absolute(), "manage.py", "openapi", "write"], cwd=project, check=True)
    return (Path(project) / "openapi.json").read_text("utf-8").splitlines()


def merged(documents: dict[Variant, list[str]]) -> str:
    """A tag takes the line break before it away, so each has a line of its own."""
    lines: list[str] = []
    for variants, group in itertools.groupby(interleaved(documents), key=lambda line: line[1]):
        texts = [text for text, _ in group]
        if variants != frozenset(documents):
            texts = [f"{{%- if {condition(variants)} %}}", *texts, "{%- endif %}"]
        lines += texts
    return "\n".join(lines) + "\n"


def interleaved(documents: dict[Variant, list[str]]) -> list[tuple[str, frozenset[Variant]]]:
    """Every line of every document, once, with those that have it."""
    every: list[tuple[str, frozenset[Variant]]] = []
    for variant, lines in documents.items():
        texts = [text for text, _ in every]
        matcher = SequenceMatcher(None, texts, lines, autojunk=False)
        longer: list[tuple[str, frozenset[Variant]]] = []
        for kind, start, end, other_start, other_end in matcher.get_opcodes():
            if kind == "equal":
                longer += [(text, having | {variant}) for text, having in every[start:end]]
                continue
            longer += every[start:end]
            longer += [(text, frozenset([variant])) for text in lines[other_start:other_end]]
        every = longer
    return every


def condition(wanted: frozenset[Variant]) -> str:
    """The shortest that is true for these variants only."""
    terms = [(term, having) for term, having in conjunctions() if having <= wanted]
    for count in range(1, len(VARIANTS) + 1):
        for chosen in itertools.combinations(terms, count):
            if frozenset().union(*(having for _, having in chosen)) == wanted:
                return " or ".join(term for term, _ in chosen)
    raise AssertionError(wanted)


def conjunctions() -> Iterator[tuple[str, frozenset[Variant]]]:
    """Those that say little first."""
    asked = [question for _, question in SWITCHES.values()]
    signs = itertools.product([None, True, False], repeat=len(asked))
    for choice in sorted(signs, key=lambda one: sum(sign is not None for sign in one)):
        words = [
            question if sign else f"not {question}" if " " not in question else f"not ({question})"
            for sign, question in zip(choice, asked, strict=True)
            if sign is not None
        ]
        having = [
            variant
            for variant in VARIANTS
            if all(sign in {None, on} for sign, on in zip(choice, variant, strict=True))
        ]
        yield " and ".join(words), frozenset(having)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="of a generated project")
    python = parser.parse_args().python
    asked = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
    assert SWITCHES.keys() <= asked.keys()
    with tempfile.TemporaryDirectory(prefix="committed-") as name:
        folder = Path(name)
        settings = f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n"
        (folder / "cookiecutter.yaml").write_text(settings)
        text = merged({variant: lines_of(folder, python, variant) for variant in VARIANTS})
    for answer, value in ANSWERS.items():
        text = text.replace(value, VARIABLES[answer])
    TARGET.write_text(text, "utf-8", newline="\n")
    print(f"Wrote {TARGET.name}: {text.count(chr(10))} lines.")


if __name__ == "__main__":
    main()
