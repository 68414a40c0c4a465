"""Reads of a door become sightings: runs of reads per tag, read point and slot (ARCHITECTURE sections 2 and 3)."""
