"""Logs something of every kind with an SDK that speaks gRPC: grpc_workload.py PORT STEPS RECORDING_ID [PAUSE [UNTIL]].

With UNTIL it goes on behind its steps until that file exists, for a minute at most.
"""

import sys
import time

import numpy as np
import rerun as rr
from until import steps

PORT, STEPS, RECORDING = sys.argv[1], int(sys.argv[2]), sys.argv[3]
PAUSE = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
UNTIL = sys.argv[5] if len(sys.argv) > 5 else None
rng = np.random.default_rng(0)


def bytes_of(*shape):
    return rng.integers(0, 255, shape, dtype=np.uint8)


rr.init("rerelay_conformance", recording_id=RECORDING, spawn=False, strict=True)
rr.connect_grpc(f"rerun+http://127.0.0.1:{PORT}/proxy")
if PAUSE == 0:
    import rerun.blueprint as rrb

    rr.send_blueprint(rrb.Blueprint(rrb.TimeSeriesView(origin="/"), collapse_panels=True))
rr.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
rr.log("desc", rr.TextDocument("# hello\nworld"), static=True)
for i in steps(STEPS, UNTIL):
    rr.set_time("frame", sequence=i)
    rr.set_time("sim", duration=i * 0.01)
    rr.log("plots/sin", rr.Scalars(float(np.sin(i * 0.1))))
    rr.log("world/points", rr.Points3D(rng.normal(size=(100, 3)).astype(np.float32)))
    if i % 10 == 0:
        rr.log("cam/image", rr.Image(bytes_of(48, 64, 3)))
        rr.log("logs", rr.TextLog(f"tick {i} ünïcode 🤖", level="INFO"))
    time.sleep(PAUSE)
rr.log("world/points", rr.Clear(recursive=True))
rr.log("cam", rr.Image(bytes_of(480, 640, 3)))
