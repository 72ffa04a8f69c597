__version__ = "2.0.0"  # The template's, as its tags and its changelog have it.
