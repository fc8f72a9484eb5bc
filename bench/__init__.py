"""Measurements of the whole portal: ``python -m bench``. See docs/benchmarks.md."""
