"""Whoever imports anything of this package has handed the project to the chassis."""

from pathlib import Path

from chassis.project import Project, use_project

use_project(Project(root=Path(__file__).parents[1], package=__name__))
