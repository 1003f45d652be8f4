"""WebSocket viewers that cost as little as can be: they read the heads of frames, and the system throws
away what follows (on Linux without a copy; elsewhere it is copied).

    viewers_child.py PORT COUNT

Says `{"ready": …}` when all are accepted, and for each line `N` when each of them has had N messages.
"""

import json
import selectors
import socket
import sys
import time

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# As much as is taken from one before it is the turn of the next.
ROOM = bytearray(1024 * 1024)
DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else 0
BINARY = 0x82

port, count = int(sys.argv[1]), int(sys.argv[2])


def say(**values):
    print(json.dumps(values), flush=True)


class Viewer:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(REQUEST)
        self.socket.setblocking(False)
        self.messages = self.bytes = 0
        self.at = 0.0
        self.is_accepted = False
        self.head = b""
        self.missing = 0

    def read(self):
        end = self.bytes + len(ROOM)
        try:
            while self.bytes < end:
                if not self.is_accepted:
                    self.read_answer()
                elif self.missing > 0:
                    self.discard()
                else:
                    self.read_head()
        except BlockingIOError:
            pass

    def take(self, size):
        taken = self.socket.recv(size)
        if taken == b"":
            raise EOFError(f"a viewer was closed after {self.messages} messages")
        return taken

    def read_answer(self):
        end = self.socket.recv(4096, socket.MSG_PEEK).find(b"\r\n\r\n")
        if end < 0:
            raise BlockingIOError
        answer = self.take(end + 4)
        if not answer.startswith(b"HTTP/1.1 101"):
            raise ValueError(answer)
        self.is_accepted = True

    def read_head(self):
        # Not a byte more: what is behind it is thrown away unread.
        self.head += self.take(self.head_size() - len(self.head))
        if len(self.head) < self.head_size():
            return
        if self.head[0] != BINARY:
            raise ValueError(f"a frame that is no whole message: {self.head}")
        self.missing = int.from_bytes(self.head[2:], "big") if len(self.head) > 2 else self.head[1]
        self.took(len(self.head))
        self.head = b""

    def head_size(self):
        return 2 + ({126: 2, 127: 8}.get(self.head[1], 0) if len(self.head) > 1 else 0)

    def discard(self):
        size = self.socket.recv_into(ROOM, min(self.missing, len(ROOM)), DISCARD)
        if size == 0:
            raise EOFError(f"a viewer was closed inside message {self.messages + 1}")
        self.missing -= size
        self.took(size)

    def took(self, size):
        self.bytes += size
        if self.missing == 0:
            self.messages += 1
            self.at = time.time()


selector = selectors.DefaultSelector()
selector.register(sys.stdin, selectors.EVENT_READ)
began = time.time()
viewers = []
for _ in range(count):
    viewer = Viewer()
    selector.register(viewer.socket, selectors.EVENT_READ, viewer)
    viewers.append(viewer)
is_ready = False
wanted = None
while True:
    for key, _ in selector.select():
        if key.data is not None:
            key.data.read()
        else:
            line = sys.stdin.readline()
            if line == "":
                sys.exit()
            wanted = int(line)
    if not is_ready and all(viewer.is_accepted for viewer in viewers):
        is_ready = True
        say(ready=True, startedAt=began)
    if wanted is not None and all(viewer.messages >= wanted for viewer in viewers):
        wanted = None
        say(
            messages=[viewer.messages for viewer in viewers],
            bytes=[viewer.bytes for viewer in viewers],
            at=[viewer.at for viewer in viewers],
        )
