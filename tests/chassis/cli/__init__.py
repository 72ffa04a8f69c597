import src  # noqa: F401  # Importing src makes the project known to the chassis.
