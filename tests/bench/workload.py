"""Logs one of the benchmark's workloads with the installed Rerun SDK: workload.py PORT NAME STEPS."""

import sys

import numpy as np
import rerun as rr

PORT, NAME, STEPS = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rng = np.random.default_rng(0)


def small(i):
    return "plots/s", rr.Scalar(float(i))


def images(_i, frames=[rng.integers(0, 255, (480, 640, 3), dtype=np.uint8) for _ in range(4)]):
    return "cam", rr.Image(frames[_i % 4])


def points(_i, clouds=[rng.normal(size=(100_000, 3)).astype(np.float32) for _ in range(4)]):
    return "pts", rr.Points3D(clouds[_i % 4])


rr.init("rerelay_bench", recording_id=f"bench-{NAME}", spawn=False)
rr.connect_tcp(f"127.0.0.1:{PORT}")
for i in range(STEPS):
    rr.set_time_sequence("frame", i)
    rr.log(*globals()[NAME](i))
rr.disconnect()
