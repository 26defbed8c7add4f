"""A hostile neighbour: exchanges two names in a directory of its own, again and again, as an ordinary user.

Arguments: uid, directory, one name, another name. With `*` as the first name, every directory of a cluster that is being made
in the directory is exchanged for the second name.
"""
import ctypes
import os
import sys

AT_FDCWD, RENAME_EXCHANGE = -100, 2
uid, directory, one, other = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
if exchange is None:
    sys.exit("the C library has no renameat2")
os.chdir(directory)
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
print("ready", flush=True)
while os.getppid() != 1:
    names = [one]
    if one.endswith("*"):
        above = os.path.dirname(one) or "."
        try:
            names = [f"{above}/{name}" for name in os.listdir(above) if name.startswith("howdah.initdb-")]
        except OSError:
            names = []
    for name in names:
        exchange(AT_FDCWD, name.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE)
