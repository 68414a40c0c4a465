"""`make faults`: named faults on the real stack, and a table of what each did and what was lost."""
