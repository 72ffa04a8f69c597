"""Limits of the domain. Rules, columns and schemas read them here, so each is written once."""

PAGE_LIMIT = 100
TODO_TITLE_LENGTH = 200
