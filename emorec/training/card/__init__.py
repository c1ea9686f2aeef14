"""The model card, ``models/README.md``."""
