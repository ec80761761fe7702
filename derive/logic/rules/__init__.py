"""Named rules, each stated as the theorem of analysis that it is."""
