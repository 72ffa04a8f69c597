"""Limits of the domain, written once: rules, columns and schemas all read them here."""

PAGE_LIMIT = 100
TODO_TITLE_LENGTH = 200
