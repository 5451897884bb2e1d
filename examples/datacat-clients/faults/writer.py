"""Writes twenty events through each row's address and says how that went; see faults/table.ts."""
from __future__ import print_function

import json
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "plugins", "datacat", "clients", "python"))

import datacat

JOB = json.loads(sys.stdin.read())
LOST = ("rejected", "dropped", "corrupt")


def run(row):
    folder = os.path.join(JOB["folder"], str(row["id"])) if JOB["place"] == "disk" else None
    client = datacat.DatacatClient(row["url"], timeout=1, retries=0, batch=True, flush_interval=0.1, offline_dir=folder)
    longest = 0
    for number in range(JOB["items"]):
        started = time.time()
        client.log_event(row["session"], "n%d" % number)
        longest = max(longest, time.time() - started)
        time.sleep(0.02)
    flushed = client.flush(JOB["seconds"])
    client.close(0.5)
    counts = client.stats()
    print(json.dumps({"id": row["id"], "longest_ms": longest * 1000, "flushed": flushed, "stored": counts["stored"],
                      "lost": sum(counts[name] for name in LOST)}) + "\n", end="")
    sys.stdout.flush()


threads = [threading.Thread(target=run, args=(row,)) for row in JOB["rows"]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
