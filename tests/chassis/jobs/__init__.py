"""Tests of the files that the answer `background_jobs` adds."""
