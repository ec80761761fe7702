"""The embedded fonts: subsets made by `subset.py` and kept as files, so that pages are repeatable byte for byte."""
