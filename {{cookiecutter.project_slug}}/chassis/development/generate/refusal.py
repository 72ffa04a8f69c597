from click import ClickException


class Refusal(ClickException):
    """Nothing was written. Its text says what is wrong, and what would be right."""
