"""Logs something of every kind with the installed Rerun SDK: workload.py PORT MODE STEPS RECORDING_ID [UNTIL].

With UNTIL the mode `steady` goes on behind its steps until that file exists, for a minute at most.
"""

import sys
import time
from importlib.metadata import version

import numpy as np
import rerun as rr
from until import steps

PORT, MODE, STEPS, RECORDING = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
UNTIL = sys.argv[5] if len(sys.argv) > 5 else None
VERSION = tuple(int(part) for part in version("rerun-sdk").split(".")[:2])
STATIC = {"static": True} if VERSION >= (0, 16) else {"timeless": True}
rng = np.random.default_rng(0)


def scalar(value):
    return (rr.Scalar if hasattr(rr, "Scalar") else rr.TimeSeriesScalar)(value)


def bytes_of(*shape):
    return rng.integers(0, 255, shape, dtype=np.uint8)


def points(count):
    positions = rng.normal(size=(count, 3)).astype(np.float32)
    return rr.Points3D(positions, colors=bytes_of(count, 3), radii=0.05)


def mixed(pause=0.0):
    rr.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, **STATIC)
    rr.log("desc", rr.TextDocument("# hello\nworld"), **STATIC)
    for i in steps(STEPS, UNTIL):
        rr.set_time_sequence("frame", i)
        rr.set_time_seconds("sim", i * 0.01)
        rr.log("plots/sin", scalar(float(np.sin(i * 0.1))))
        rr.log("plots/cos", scalar(float(np.cos(i * 0.1))))
        rr.log("world/points", points(100))
        if i % 10 == 0:
            rr.log("cam/image", rr.Image(bytes_of(48, 64, 3)))
            rr.log("tensor", rr.Tensor(bytes_of(4, 5, 6)))
            rr.log("logs", rr.TextLog(f"tick {i} ünïcode 🤖", level="INFO"))
        time.sleep(pause)
    rr.log("world/points", rr.Clear(recursive=True))


def large():
    for i in range(STEPS):
        rr.set_time_sequence("frame", i)
        rr.log("cam", rr.Image(bytes_of(480, 640, 3)))
        rr.log("world/points", points(20_000))


def timeonly():
    if hasattr(rr, "disable_timeline"):
        rr.disable_timeline("log_tick")
    for i in range(STEPS):
        rr.set_time_nanos("t", 1_700_000_000_000_000_000 + i * 1_000_003)
        rr.log("a", scalar(float(i)))


def blueprint():
    import rerun.blueprint as rrb

    view = getattr(rrb, "TimeSeriesView", rrb.Spatial3DView)
    rr.send_blueprint(rrb.Blueprint(view(origin="/"), collapse_panels=True))
    for i in range(STEPS):
        rr.set_time_sequence("frame", i)
        rr.log("plots/s", scalar(float(i)))


MODES = {
    "mixed": mixed,
    "steady": lambda: mixed(pause=0.01),
    "large": large,
    "timeonly": timeonly,
    "blueprint": blueprint,
}

rr.init("rerelay_conformance", recording_id=RECORDING, spawn=False, strict=True)
(rr.connect_tcp if hasattr(rr, "connect_tcp") else rr.connect)(f"127.0.0.1:{PORT}")
MODES[MODE]()
rr.disconnect()
