"""What has been proved: one derivation a file, found by its place and never listed by hand."""
