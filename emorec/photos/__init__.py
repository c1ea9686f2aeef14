"""Reads photos: `reading` holds the jobs of the app's processes, `commands` is `emorec photo`."""
