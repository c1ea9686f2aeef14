"""How the app is served: checks at the start, middleware, patches of libraries, the log."""
