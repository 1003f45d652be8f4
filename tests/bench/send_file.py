"""Sends a stream as `send_parts_child.ts` does, to one connection, without ever touching its bytes.

    send_file.py PORT FILE
"""

import json
import mmap
import socket
import struct
import sys
import time

WARM_UP_BYTES = 48_000_000
HANDSHAKE_BYTES = 7

port, path = int(sys.argv[1]), sys.argv[2]
file = open(path, "rb")
content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
starts, at = [], HANDSHAKE_BYTES
while at < len(content):
    starts.append(at)
    at += 4 + struct.unpack_from("<I", content, at)[0]
warm = max(i for i, start in enumerate(starts) if start <= WARM_UP_BYTES)


def say(**values):
    print(json.dumps(values), flush=True)


for line in sys.stdin:
    messages = len(starts) if line.strip() == "all" else warm
    end = at if messages == len(starts) else starts[warm]
    connection = socket.create_connection(("127.0.0.1", port))
    say(messages=messages, bytes=end, startedAt=time.time())
    connection.sendfile(file, 0, end)
    connection.shutdown(socket.SHUT_WR)
