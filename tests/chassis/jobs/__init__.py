"""Tests of the files that the answer `background_jobs` adds."""

import src  # noqa: F401  # Hands the project to the chassis.
