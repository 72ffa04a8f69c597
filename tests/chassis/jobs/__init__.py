"""Tests of what the answer `background_jobs` brings."""
