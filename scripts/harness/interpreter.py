"""Find a Python that the pinned PyTorch has wheels for, and go on with it.

Kept to syntax that old Pythons parse, so that they can say what is missing instead of failing to read this.
"""

import os
import shutil
import subprocess
import sys

OLDEST = (3, 10)
NEWEST = (3, 14)


def require():
    """Return when this Python will do; otherwise run the same command under one that does, or exit with 1."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in (12, 11, 13, 10, 14):
        other = shutil.which("python3." + str(minor))
        if other and subprocess.call([other, "-c", "import ensurepip"], stderr=subprocess.PIPE) == 0:
            sys.exit(subprocess.call([other, os.path.abspath(sys.argv[0])] + sys.argv[1:]))
    span = "{}.{} to {}.{}".format(*(OLDEST + NEWEST))
    mine = "{}.{}".format(*sys.version_info[:2])
    sys.exit("Python " + span + " is needed and this is " + mine + ": install one and run the command again.")
