"""Tests of what the answer `background_jobs` brings."""

import src  # noqa: F401  # Hands the project to the chassis.
