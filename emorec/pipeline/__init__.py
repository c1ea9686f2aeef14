"""From a picture to its faces, one file a stage: detect, track, crop, classify, smooth."""
