"""`.cruft.json`: which template generated this project, at which commit, with which answers.

The keys are those of cruft, so that cruft reads the file too.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

NAME = ".cruft.json"


class TemplateError(click.ClickException):
    """An update is impossible. The text has the reason, and what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    source: str | None  # URL or path of the template's repository.
    commit: str | None
    answers: dict[str, Any]  # Answers by the names of their questions.

    @classmethod
    def read(cls, root: Path) -> "Record":
        """Read the file. Raise TemplateError if it is missing or malformed."""
        try:
            table = json.loads((root / NAME).read_text("utf-8"))
            answers = table["context"]["cookiecutter"]
            return cls(table["template"], table["commit"], dict(answers))
        except FileNotFoundError as error:
            raise TemplateError(
                f"{NAME} is missing: it names the template and its commit. Commit the file that "
                "`cookiecutter` wrote, or generate a project with the same answers and copy its "
                f"{NAME}."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TemplateError(
                f'{NAME} cannot be read. It needs the keys "template", "commit" and '
                f'"context": {{"cookiecutter": {{…}}}}. ({type(error).__name__}: {error})'
            ) from error

    def write(self, root: Path) -> None:
        table = {
            "template": self.source,
            "commit": self.commit,
            "checkout": None,
            "context": {"cookiecutter": self.answers},
            "directory": None,
        }
        text = json.dumps(table, indent=2, ensure_ascii=False)
        (root / NAME).write_text(f"{text}\n", "utf-8")
