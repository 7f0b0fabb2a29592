"""The command line: `python -m paintseg segment|remove|layers|bench`."""
