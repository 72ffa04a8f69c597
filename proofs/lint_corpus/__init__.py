"""Revisions whose true needs `proofs/check_corpus.py` measures."""
