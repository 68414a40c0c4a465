"""lotstream: from the tag read to the recall answer."""
