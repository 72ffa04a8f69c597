"""Brings a project of an earlier version to this one.

Where the template moves a name or a file of the chassis, a step in updates/steps changes the code
of projects.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The git commands and the template's clone are shared with `manage.py template update`.
sys.path.insert(0, str(ROOT / "{{cookiecutter.project_slug}}"))
