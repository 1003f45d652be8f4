"""Logs one of every archetype that the installed Rerun SDK has: every_archetype.py PORT."""

import sys

import numpy as np
import rerun as rr

rng = np.random.default_rng(0)
CORNERS = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
COLORS = [[1, 2, 3]] * 3
EVERY = {
    "AnnotationContext": lambda: rr.AnnotationContext([(1, "a", (255, 0, 0))]),
    "Arrows2D": lambda: rr.Arrows2D(vectors=[[1, 1]], origins=[[0, 0]], labels=["x"]),
    "Arrows3D": lambda: rr.Arrows3D(vectors=[[1, 1, 1]], origins=[[0, 0, 0]], radii=[0.1]),
    "Asset3D": lambda: rr.Asset3D(contents=b"glTF", media_type="model/gltf-binary"),
    "AssetVideo": lambda: rr.AssetVideo(contents=b"1234", media_type="video/mp4"),
    "BarChart": lambda: rr.BarChart([1, 2, 3]),
    "Boxes2D": lambda: rr.Boxes2D(centers=[[0, 0]], half_sizes=[[1, 1]], labels=["b"]),
    "Boxes3D": lambda: rr.Boxes3D(centers=[[0, 0, 0]], half_sizes=[[1, 1, 1]], labels=["b"]),
    "Capsules3D": lambda: rr.Capsules3D(lengths=[1], radii=[1]),
    "Clear": lambda: rr.Clear(recursive=False),
    "DepthImage": lambda: rr.DepthImage(np.ones((4, 4), np.uint16), meter=10.0),
    "DisconnectedSpace": lambda: rr.DisconnectedSpace(),
    "Ellipsoids3D": lambda: rr.Ellipsoids3D(centers=[[0, 0, 0]], half_sizes=[[1, 1, 1]]),
    "EncodedImage": lambda: rr.EncodedImage(contents=b"abc", media_type="image/jpeg"),
    "GeoLineStrings": lambda: rr.GeoLineStrings(lat_lon=[[[1, 2], [3, 4]]]),
    "GeoPoints": lambda: rr.GeoPoints(lat_lon=[[1, 2]], radii=[1]),
    "GraphEdges": lambda: rr.GraphEdges(edges=[("a", "b")], graph_type="directed"),
    "GraphNodes": lambda: rr.GraphNodes(node_ids=["a", "b"], labels=["A", "B"]),
    "Image": lambda: rr.Image(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)),
    "InstancePoses3D": lambda: rr.InstancePoses3D(translations=[[1, 2, 3]], scales=[[1, 1, 1]]),
    "LineStrips2D": lambda: rr.LineStrips2D([[[0, 0], [1, 1]]]),
    "LineStrips3D": lambda: rr.LineStrips3D([[[0, 0, 0], [1, 1, 1]]], radii=[0.1]),
    "Mesh3D": lambda: rr.Mesh3D(vertex_positions=CORNERS, vertex_colors=COLORS, vertex_normals=CORNERS),
    "Pinhole": lambda: rr.Pinhole(focal_length=3, width=4, height=4),
    "Points2D": lambda: rr.Points2D([[0, 0]], labels=["p"], keypoint_ids=[1], class_ids=[1]),
    "Points3D": lambda: rr.Points3D([[0, 0, 0]], labels=["p"], keypoint_ids=[1], class_ids=[1]),
    "Scalar": lambda: rr.Scalar(1.0),
    "SegmentationImage": lambda: rr.SegmentationImage(np.zeros((4, 4), np.uint8)),
    "SeriesLine": lambda: rr.SeriesLine(color=[1, 2, 3], name="l", width=2),
    "SeriesPoint": lambda: rr.SeriesPoint(color=[1, 2, 3], name="l", marker="circle"),
    "Tensor": lambda: rr.Tensor(np.zeros((2, 3)), dim_names=["a", "b"]),
    "TextDocument": lambda: rr.TextDocument("x", media_type="text/markdown"),
    "TextLog": lambda: rr.TextLog("x", level="INFO", color=[1, 2, 3]),
    "Transform3D": lambda: rr.Transform3D(translation=[1, 2, 3]),
    "VideoFrameReference": lambda: rr.VideoFrameReference(
        rr.components.VideoTimestamp(seconds=1.0), video_reference="/AssetVideo"
    ),
    "ViewCoordinates": lambda: rr.ViewCoordinates.RDF,
    "AnyValues": lambda: rr.AnyValues(confidence=[1.5], remark="x"),
}

rr.init("rerelay_every", recording_id="every", spawn=False)
(rr.connect_tcp if hasattr(rr, "connect_tcp") else rr.connect)(f"127.0.0.1:{sys.argv[1]}")
rr.set_time_sequence("frame", 1)
for name, make in EVERY.items():
    if hasattr(rr, name):
        rr.log(name, make())
rr.disconnect()
