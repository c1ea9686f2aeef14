"""The Sessions page: what was kept, one session's report, and sessions compared."""
