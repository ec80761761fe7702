"""What is often misstated."""
