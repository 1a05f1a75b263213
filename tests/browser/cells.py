"""Cells that several tests begin with: a server in the kernel, a topic and something that feeds it."""

from __future__ import annotations

__all__ = ["FEED", "SERVER", "TOPIC"]

SERVER = "%load_ext nbrealtime\n%rtserver"

TOPIC = 'import nbrealtime as rt\ntemp = rt.subscribe("lab:temp")'

# Publishes through the notebook's own connection, 20 times a second until `feeding` is cleared. The thread
# is a user's: what it does while a cell computes is what a user's thread gets to do.
FEED = """\
import math, threading, time

feeding = threading.Event()
feeding.set()

def feed():
    due = time.monotonic()
    while feeding.is_set():
        rt.publish("lab:temp", 20 + 5 * math.sin(time.time()))
        due += 0.05
        time.sleep(max(0, due - time.monotonic()))

threading.Thread(target=feed, name="feed", daemon=True).start()
"""
