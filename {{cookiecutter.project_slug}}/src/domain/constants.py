"""Numbers of the domain's rules, each written once."""

PAGE_LIMIT = 100
TODO_TITLE_LENGTH = 200
