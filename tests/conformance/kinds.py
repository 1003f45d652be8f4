"""Logs one of each kind of data, as tests/fixtures/kinds has it of several SDKs: kinds.py PORT."""
import sys, os, tempfile
import numpy as np, rerun as rr
from importlib.metadata import version
ver = tuple(map(int, version('rerun-sdk').split(".")[:2]))
port = int(sys.argv[1])
rr.init("every_kind", recording_id="one-%d-%d" % ver, spawn=False)
addr=f"127.0.0.1:{port}"
if ver >= (0,23): rr.connect_grpc(f"rerun+http://{addr}/proxy")
elif hasattr(rr,"connect_tcp"): rr.connect_tcp(addr)
else: rr.connect(addr)
def t(i):
    if hasattr(rr,'set_time_sequence'):
        rr.set_time_sequence("frame", i)
        rr.set_time_nanos("time", 1_700_000_000_000_000_001 + i) if hasattr(rr,'set_time_nanos') else None
    else:
        rr.set_time("frame", sequence=i)
        rr.set_time("time", timestamp=np.datetime64(1_700_000_000_000_000_001 + i, 'ns'))
        rr.set_time("dur", duration=np.timedelta64(1_000_000_007+i, 'ns'))
def scalar(v): return rr.Scalar(v) if hasattr(rr,'Scalar') else (rr.Scalars(v) if hasattr(rr,'Scalars') else rr.TimeSeriesScalar(v))
def go(name, f):
    try:
        f()
    except Exception as e:
        print("skip", name, type(e).__name__, str(e)[:100])
S = dict(static=True) if ver >= (0,16) else dict(timeless=True)
ar = np.arange(24, dtype=np.uint8)
for i in range(1):
    t(i)
    go("scalar", lambda: rr.log("s/"+"x", scalar(i+0.5)))
    go("rgb8", lambda: rr.log("img/rgb8", rr.Image(ar.reshape(2,4,3))))
    go("l8", lambda: rr.log("img/l8", rr.Image(ar[:8].reshape(2,4))))
    go("rgba8", lambda: rr.log("img/rgba8", rr.Image(np.arange(32,dtype=np.uint8).reshape(2,4,4))))
    go("l16", lambda: rr.log("img/l16", rr.Image(np.arange(8,dtype=np.uint16).reshape(2,4))))
    go("f32", lambda: rr.log("img/f32", rr.Image(np.arange(24,dtype=np.float32).reshape(2,4,3))))
    go("depth16", lambda: rr.log("img/depth16", rr.DepthImage(np.arange(8,dtype=np.uint16).reshape(2,4), meter=1000.0)))
    go("depthf32", lambda: rr.log("img/depthf32", rr.DepthImage(np.arange(8,dtype=np.float32).reshape(2,4))))
    go("seg", lambda: rr.log("img/seg", rr.SegmentationImage(ar[:8].reshape(2,4))))
    go("segu16", lambda: rr.log("img/seg16", rr.SegmentationImage(np.arange(8,dtype=np.uint16).reshape(2,4))))
    go("jpeg", lambda: rr.log("img/jpeg", rr.Image(np.zeros((16,16,3),dtype=np.uint8)).compress(jpeg_quality=90)))
    
    go("tensor2", lambda: rr.log("t/two", rr.Tensor(ar.reshape(2,12))))
    go("tensor3", lambda: rr.log("t/three", rr.Tensor(ar.reshape(2,4,3))))
    go("tensor1", lambda: rr.log("t/one", rr.Tensor(ar)))
    go("tensorf64", lambda: rr.log("t/f64", rr.Tensor(np.arange(6.0).reshape(2,3))))
    go("bar", lambda: rr.log("bar", rr.BarChart([1,2,3])))
    go("points", lambda: rr.log("p", rr.Points3D(np.arange(9,dtype=np.float32).reshape(3,3), colors=[[1,2,3],[4,5,6],[7,8,9]], labels=["a","b","ü"])))
    go("boxes", lambda: rr.log("b", rr.Boxes3D(half_sizes=[[1,2,3]], centers=[[0,1,2]])))
    go("tr", lambda: rr.log("tr", rr.Transform3D(translation=[1,2,3])) if ver>=(0,12) else rr.log("tr", rr.Transform3D(rr.TranslationRotationScale3D(translation=[1,2,3]))))
    go("lines", lambda: rr.log("l", rr.LineStrips3D([[[0,0,0],[1,1,1]],[[2,2,2],[3,3,3],[4,4,4]]])))
    go("text", lambda: rr.log("log", rr.TextLog("hé %d"%i, level="INFO")))
    go("pin", lambda: rr.log("cam", rr.Pinhole(focal_length=3, width=4, height=2)))
    go("any", lambda: rr.log("any", rr.AnyValues(confidence=[1.5,2.5], name="n")))
    go("clear", lambda: rr.log("b", rr.Clear(recursive=False)))
go("static", lambda: rr.log("st", rr.TextDocument("x", media_type="text/markdown"), **S))
def reset_only_time():
    rr.reset_time()
    if hasattr(rr,'set_time_sequence'): rr.set_time_sequence("frame", 100)
    else: rr.set_time("frame", sequence=100)
    rr.log("s/x", scalar(100.5))
    rr.reset_time()
    if hasattr(rr,'set_time_nanos'): rr.set_time_nanos("time", 5)
    else: rr.set_time("time", timestamp=np.datetime64(5,'ns'))
    rr.log("s/x", scalar(200.5))
    rr.reset_time()
    rr.log("s/x", scalar(300.5))
go("partial", reset_only_time)
def cols():
    if hasattr(rr,'send_columns'):
        if hasattr(rr,'TimeColumn'):
            rr.send_columns("c/scal", indexes=[rr.TimeColumn("frame", sequence=range(5)), rr.TimeColumn("dur", duration=[0.5*i for i in range(5)])], columns=(rr.Scalars if hasattr(rr,'Scalars') else rr.Scalar).columns(**({"scalars":[1.0,2,3,4,5]} if hasattr(rr,'Scalars') else {"scalar":[1.0,2,3,4,5]})))
        elif ver>=(0,22):
            rr.send_columns("c/scal", indexes=[rr.TimeSequenceColumn("frame", range(5))], columns=rr.Scalar.columns(scalar=[1.0,2,3,4,5]))
        else:
            rr.send_columns("c/scal", times=[rr.TimeSequenceColumn("frame", range(5))], components=[rr.components.ScalarBatch([1.0,2,3,4,5])])
go("cols", cols)
try: rr.disconnect()
except Exception as e: print(e)
print("done", ver)
