"""What a request costs the generated project, beside comparison applications."""
