"""What can be proved: the core, strategies, rules, calculations, certificates."""
