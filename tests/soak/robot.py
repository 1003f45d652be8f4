"""A robot's camera at 30 Hz, 20 MB/s, by a real SDK: robot.py PORT SECONDS; tells how many frames it logged"""

import sys
import time

import numpy as np
import rerun as rr

port, seconds = int(sys.argv[1]), float(sys.argv[2])
rr.init("robot", recording_id="robot")
rr.connect_grpc(f"rerun+http://127.0.0.1:{port}/proxy")
pictures = np.random.default_rng(0).integers(0, 255, (8, 333, 333, 3), dtype=np.uint8)
start, frame, told = time.time(), 0, 0.0
while time.time() - start < seconds:
    rr.set_time("frame", sequence=frame)
    rr.log("camera/left", rr.Image(pictures[frame % 8]))
    rr.log("camera/right", rr.Image(pictures[(frame + 1) % 8]))
    frame += 1
    time.sleep(max(0, start + frame / 30 - time.time()))
    if time.time() - told > 0.5:
        told = time.time()
        print(f"frame {frame}", file=sys.stderr, flush=True)
