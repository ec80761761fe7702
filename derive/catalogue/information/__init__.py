"""Information theory."""
