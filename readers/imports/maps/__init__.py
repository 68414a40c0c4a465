"""Shipped maps, as TOML files."""
