"""Reads picture files and writes annotated pictures."""
