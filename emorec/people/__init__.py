"""Names for faces: the people who agreed to be recognised, and how their faces are matched."""
