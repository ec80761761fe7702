"""What numbers say: witnesses, gradient checks, and the verification of the catalogue."""
