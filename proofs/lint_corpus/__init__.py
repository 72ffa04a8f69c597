"""Revisions whose true needs `python -m proofs.lint_corpus` measures."""
