"""``make run``: starts the portal's processes, watches over them, and stops them again.

It imports nothing of Django: it has to be quick, and to keep running when the portal can't.
"""
