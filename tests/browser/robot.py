"""What a robot logs for some seconds: robot.py PORT SECONDS RECORDING_ID [APPLICATION_ID [PAUSE [UNTIL]]]

With UNTIL it goes on until that file exists, for a minute at most.
"""

import os
import sys
import time
from importlib.metadata import version

import numpy as np
import rerun as rr

port, seconds, recording = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
application = sys.argv[4] if len(sys.argv) > 4 else "warehouse_robot"
pause = float(sys.argv[5]) if len(sys.argv) > 5 else 0.05
until = sys.argv[6] if len(sys.argv) > 6 else None
rr.init(application, recording_id=recording)
address = f"127.0.0.1:{port}"
if hasattr(rr, "connect_grpc") and not hasattr(rr, "connect_tcp"):
    rr.connect_grpc(f"rerun+http://{address}/proxy")
else:
    (rr.connect_tcp if hasattr(rr, "connect_tcp") else rr.connect)(address)
Scalar = rr.Scalar if hasattr(rr, "Scalar") else rr.Scalars

random = np.random.default_rng(0)
points = random.normal(size=(3000, 3)).astype(np.float32)
colors = ((points - points.min(0)) / np.ptp(points, axis=0) * 255).astype(np.uint8)
ys, xs = np.mgrid[0:240, 0:320]
rr.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
rr.log("notes", rr.TextDocument(f"SDK {version('rerun-sdk')}"), static=True)

start, frame = time.time(), 0


def goes_on():
    took = time.time() - start
    return took < seconds or until is not None and took < 60 and not os.path.exists(until)


while goes_on():
    if hasattr(rr, "set_time_sequence"):
        rr.set_time_sequence("frame", frame)
    else:
        rr.set_time("frame", sequence=frame)
    phase = frame * 0.05
    moved = points + np.array([np.sin(phase), 0, 0], dtype=np.float32)
    rr.log("world/points", rr.Points3D(moved, colors=colors, radii=0.03))
    rr.log("plots/speed", Scalar(float(np.sin(phase))))
    rr.log("plots/load", Scalar(float(np.cos(phase * 0.7) * 0.6)))
    picture = np.stack([xs + frame * 3, ys + frame, (xs + ys) // 2], -1) % 256
    rr.log("camera/image", rr.Image(picture.astype(np.uint8)))
    rr.log("log", rr.TextLog(f"frame {frame}"))
    frame += 1
    time.sleep(pause)
