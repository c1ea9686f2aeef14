"""From labelled faces to a trained, measured and exported network; needs Keras."""
