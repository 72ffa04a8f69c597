__version__ = "1.1.0"  # The template's, as its tags and its changelog have it.
