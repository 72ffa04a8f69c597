"""Commands that prove what the template promises on generated projects: see README.md here."""
