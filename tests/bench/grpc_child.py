"""What a real SDK and raw readers do for grpc.ts; each says in JSON how long it took.

    grpc_child.py log URL IMAGES         logs images; seconds until all of them are taken
    grpc_child.py save FILE points|image one message of this kind
    grpc_child.py read PORT COUNT BYTES  so many readers, each until it has so many bytes
    grpc_child.py stop PORT              a reader that takes nothing any more after 1 MiB
"""
import json
import selectors
import socket
import sys
import time

import numpy as np


def say(**values):
    print(json.dumps(values), flush=True)


def images(n):
    random = np.random.default_rng(1)
    return [random.integers(0, 255, (480, 640, 3), dtype=np.uint8) for _ in range(n)]


def log(url, count):
    import rerun as rr

    kept = images(8)
    rr.init("bench", recording_id="bench")
    rr.connect_grpc(url)
    rr.log("begin", rr.TextLog("begins"))
    rr.get_global_data_recording().flush()
    start, at = time.perf_counter(), time.time()
    for i in range(int(count)):
        rr.set_time("frame", sequence=i)
        rr.log("camera", rr.Image(kept[i % 8]))
    rr.disconnect()
    # `from` is a word of Python.
    say(**{"sec": time.perf_counter() - start, "from": at})


def save(path, kind):
    import rerun as rr

    rr.init("bench", recording_id="bench")
    rr.save(path)
    points = rr.Points3D(np.random.default_rng(1).random((131, 3)))
    rr.log("data", points if kind == "points" else rr.Image(images(1)[0]))


def literal(name, value):
    text = b"\0"
    for part in (name, value):
        text += bytes([len(part)]) + part.encode()
    return text


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def opened(port, window):
    """A ReadMessages call by hand, whose windows are never filled up again."""
    peer = socket.create_connection(("127.0.0.1", port))
    path = "/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages"
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
    fields += [("content-type", "application/grpc"), ("te", "trailers")]
    settings = b"\0\x04" + window.to_bytes(4, "big")
    more = max(1, window - 65535)
    peer.sendall(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + frame(4, 0, 0, settings)
        + frame(8, 0, 0, more.to_bytes(4, "big"))
        + frame(4, 1, 0, b"")
        + frame(1, 4, 1, b"".join(literal(*field) for field in fields))
        + frame(0, 1, 1, bytes(5))
    )
    return peer


def read(port, count, wanted):
    peers = {opened(int(port), 2**31 - 1): 0 for _ in range(int(count))}
    waiting = selectors.DefaultSelector()
    for peer in peers:
        waiting.register(peer, selectors.EVENT_READ)
    into = bytearray(1 << 20)
    start = time.perf_counter()
    say(ready=True)
    left = len(peers)
    while left > 0:
        for key, _ in waiting.select():
            peer = key.fileobj
            got = peer.recv_into(into)
            before = peers[peer]
            peers[peer] += got
            if got == 0 and before < int(wanted):
                return say(cut=before)
            if before < int(wanted) <= peers[peer]:
                left -= 1
    say(sec=time.perf_counter() - start, at=time.time())


def stop(port):
    peer = opened(int(port), 2**31 - 1)
    got = 0
    say(ready=True)
    while got < 1 << 20:
        got += len(peer.recv(1 << 16))
    time.sleep(600)


{"log": log, "save": save, "read": read, "stop": stop}[sys.argv[1]](*sys.argv[2:])
