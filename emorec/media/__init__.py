"""Pictures and films as they come in, and what was read from them as it goes out."""
