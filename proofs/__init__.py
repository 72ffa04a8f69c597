"""The rehearsal: what the template promises of migrations under load, measured from outside."""
