"""What the visitor sees: callables that render and never infer."""
