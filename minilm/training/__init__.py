"""Training: text to a model folder, and a model folder to text."""
