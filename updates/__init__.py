"""What brings a project of an earlier version to this one.

Where a name of the chassis moved, or a file, the version carries a step: see updates/steps.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# git and rendering are those of `manage.py template update`.
sys.path.insert(0, str(ROOT / "{{cookiecutter.project_slug}}"))
