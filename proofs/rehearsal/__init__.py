"""The rehearsal: migrations while clients read and write, measured from outside."""
