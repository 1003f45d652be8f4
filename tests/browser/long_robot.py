"""What a robot logs that has run for long: long_robot.py PORT MEGABYTES SECONDS RECORDING_ID

First so much of large pictures as fast as they are taken, then small ones ten times a second.
"""

import sys
import time

import numpy as np
import rerun as rr

port, megabytes, seconds, recording = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
rr.init("long_robot", recording_id=recording)
address = f"127.0.0.1:{port}"
if hasattr(rr, "connect_grpc") and not hasattr(rr, "connect_tcp"):
    rr.connect_grpc(f"rerun+http://{address}/proxy")
else:
    rr.connect_tcp(address)

random = np.random.default_rng(0)
frame = 0


def log(height, width):
    global frame
    if hasattr(rr, "set_time_sequence"):
        rr.set_time_sequence("frame", frame)
    else:
        rr.set_time("frame", sequence=frame)
    # Random: what is compressed on its way has its size as well.
    rr.log("camera/image", rr.Image(random.integers(0, 255, (height, width, 3), dtype=np.uint8)))
    rr.log("plots/frame", rr.Scalar(frame) if hasattr(rr, "Scalar") else rr.Scalars(frame))
    frame += 1


while frame < megabytes:
    log(500, 667)
print(f"history of {frame} frames", flush=True)
start = time.time()
while time.time() - start < seconds:
    log(120, 160)
    time.sleep(0.1)
