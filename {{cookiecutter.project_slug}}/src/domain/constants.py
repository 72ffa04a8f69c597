"""Limits of the domain, written once: rules, columns and schemas all read them here."""

TODO_TITLE_LENGTH = 200
