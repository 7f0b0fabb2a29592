"""What `scripts/setup`, `scripts/demo`, `scripts/test` and the server tests share.

Everything up to a ready `.venv` (`console`, `interpreter`, `environment`, `comfyui`, `browser`) needs nothing
but Python's standard library, because it runs before anything is installed.
"""
