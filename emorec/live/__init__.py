"""The live picture: between the browser's camera and the pipeline."""
