"""lotstream: from the tag read to the recall answer."""

__version__ = "0.1.0"
