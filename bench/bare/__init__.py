"""The bare pipeline: socket, Celery task, subprocess, Redis, socket, and nothing else."""
