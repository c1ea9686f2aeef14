"""The one store: a database, what its tables hold, and the key without which nobody reads it."""
