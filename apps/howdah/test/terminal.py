"""Runs a command in a terminal of its own: stdin is what is typed, stdout what the terminal shows."""
import os
import pty
import sys

status = os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:]))
sys.exit(status if status >= 0 else 128 - status)
