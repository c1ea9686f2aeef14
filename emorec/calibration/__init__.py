"""What is known of one person: the resting state of a face, and examples of its expressions."""
