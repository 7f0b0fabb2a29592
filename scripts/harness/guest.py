"""Run a script in this process and end when whoever started it is gone, even if it was killed.

Started by `server.Server` as `python guest.py main.py ARGUMENTS`; the starter holds the other end of standard
input and never writes to it, so an end of file means that it no longer exists.
"""

import os
import runpy
import sys
import threading


def _end_with_the_starter() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
