"""indexed.py URL STEPS RECORDING: logs over gRPC, a chunk every few rows."""
import sys

import numpy as np
import rerun as rr

URL, STEPS, RECORDING = sys.argv[1], int(sys.argv[2]), sys.argv[3]
rr.init("rerelay_conformance_indexed", recording_id=RECORDING)
rr.connect_grpc(URL)
rr.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
for i in range(STEPS):
    rr.set_time("frame", sequence=i)
    rr.log("plots/line", rr.Scalars(i / 2))
    if i % 3 == 0:
        rr.log("world/points", rr.Points3D(np.full((20, 3), i), radii=0.1))
    if i % 10 == 0:
        rr.log("cam/image", rr.Image(np.full((48, 64, 3), i % 256, np.uint8)))
rr.disconnect()
