"""The videos of examples/videos, end to end on the real servers."""
