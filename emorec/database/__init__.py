"""The store: a database, its tables, and the key that names and embeddings are sealed with."""
