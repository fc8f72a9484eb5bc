"""The portal as people use it: Chromium against a running portal."""
