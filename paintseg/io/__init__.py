"""What comes in and goes out: pictures, prompts as text, lists of photos, model files."""
