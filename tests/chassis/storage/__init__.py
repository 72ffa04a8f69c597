import src  # noqa: F401  # Hands the project to the chassis.
