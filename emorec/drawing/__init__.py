"""Results made visible: boxes and labels on a picture, charts of probabilities.

Pure functions: a picture or a chart comes back, nothing that was passed in changes.
"""
