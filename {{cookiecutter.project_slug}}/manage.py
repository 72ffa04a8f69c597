#!/usr/bin/env python3
"""The project's command line: `python manage.py` lists the commands."""

if __name__ == "__main__":
    # Imported here: each server process imports this file too, and does not need these.
    from pathlib import Path

    from chassis.cli.environment import require_packages

    require_packages(Path(__file__))
    import src  # noqa: F401  # Hands the project to the chassis.
    from chassis.cli.main import cli

    cli()
