"""Activations and scalar calculus."""
