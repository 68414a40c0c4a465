"""The answer of a recall: everything about some lots on one page, each figure with the facts behind it."""
