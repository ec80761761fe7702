"""What can be derived on demand: a loss goes in, and a record comes out whose every line the core has checked."""
