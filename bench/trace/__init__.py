"""Time stamps from inside a portal's processes, without a line of them in the portal."""
