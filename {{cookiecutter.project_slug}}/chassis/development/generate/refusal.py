from click import ClickException


class Refusal(ClickException):
    """The command is impossible, and nothing was written. The text has the reason and a cure."""
