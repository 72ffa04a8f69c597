"""What the template promises of a generated project's API, shown from outside."""
