"""Reads picture and video files, and writes annotated ones."""
