#!/usr/bin/env python3
"""The one script of the project: `python manage.py` lists what it can do."""

if __name__ == "__main__":
    # Not above: each server process imports this file too, and needs none of it.
    from pathlib import Path

    from chassis.cli.environment import require_packages

    require_packages(Path(__file__))
    import src  # noqa: F401  # Hands the project to the chassis.
    from chassis.cli.main import cli

    cli()
