"""From proved terms to NumPy: stable primitives, validation, and the compiler."""
