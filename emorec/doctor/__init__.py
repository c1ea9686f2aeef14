"""What is installed and sound, and how a visitor's picture can reach this machine."""
