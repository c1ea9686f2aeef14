"""The Video page: upload -> progress -> results; `emorec.jobs` does the work."""
