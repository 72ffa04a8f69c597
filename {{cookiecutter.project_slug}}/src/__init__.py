"""Hands this project to the chassis: Python runs this file before any module of the package."""

from pathlib import Path

from chassis.project import Project, use_project

use_project(Project(root=Path(__file__).parents[1], package=__name__))
