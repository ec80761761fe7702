"""Linear models and losses."""
