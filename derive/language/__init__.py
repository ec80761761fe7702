"""What can be written: terms, their notation, arrays by components."""
