"""Links as robots have them, in a process of their own: links.py LINKS, a JSON list of LinkOptions with `target`.

Writes the ports that viewers connect to as JSON, then for each connection its own port towards the server.
Unlike a program in TypeScript it can keep the system from taking megabytes for it: a router on the way
queues little, and what else waits is held by the server's side.
"""

import asyncio
import json
import socket
import sys
import time

RECEIVE_BYTES = 128 * 1024
PIECE_BYTES = 16 * 1024


class Link:
    def __init__(self, options):
        self.options = options
        self.begun = time.monotonic()

    def rate(self, at):
        """Bytes a second at a time."""
        then = self.options.get("then")
        if then is not None and at - self.begun > then["afterMs"] / 1000:
            return then["bytesPerSec"]
        return self.options["bytesPerSec"]

    def after_stall(self, at):
        """When what would come through at a time does; None: never."""
        stops = self.options.get("stopsAfterMs")
        if stops is not None and at - self.begun > stops / 1000:
            return None
        stall = self.options.get("stall")
        if stall is None:
            return at
        every, lasts = stall["everyMs"] / 1000, stall["forMs"] / 1000
        into = (at - self.begun) % every
        return at if into < every - lasts else at + every - into

    async def join(self, viewer):
        loop = asyncio.get_running_loop()
        server = socket.socket()
        # Before it is connected: the window of TCP is agreed on then.
        server.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, self.options.get("receiveBytes", RECEIVE_BYTES)
        )
        segment = self.options.get("segmentBytes")
        if segment is not None:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
        server.setblocking(False)
        await loop.sock_connect(server, ("127.0.0.1", self.options["target"]))
        print(json.dumps({"target": self.options["target"], "link": self.options["index"],
                          "port": server.getsockname()[1]}), flush=True)
        for one in (server, viewer):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.gather(self.ask(viewer, server), self.answer(server, viewer))
        except OSError:
            pass
        finally:
            server.close()
            viewer.close()

    async def ask(self, viewer, server):
        loop = asyncio.get_running_loop()
        while True:
            piece = await loop.sock_recv(viewer, PIECE_BYTES)
            if not piece:
                raise ConnectionResetError("the viewer left")
            await loop.sock_sendall(server, piece)

    async def answer(self, server, viewer):
        """While a piece is on its way, no more is read: the server sees how slow the link is."""
        loop = asyncio.get_running_loop()
        on_way = asyncio.Queue()
        giving = asyncio.ensure_future(self.give(on_way, viewer))
        free = time.monotonic()
        try:
            while True:
                piece = await loop.sock_recv(server, self.options.get("pieceBytes", PIECE_BYTES))
                if not piece:
                    break
                now = time.monotonic()
                # What a timer was late may be made up for.
                free = self.after_stall(
                    max(free, now - 0.05) + len(piece) / self.rate(now)
                )
                if free is None:
                    await asyncio.Event().wait()
                if free - now > 0.002:
                    await asyncio.sleep(free - now)
                if giving.done():
                    giving.result()
                on_way.put_nowait((free + self.options.get("delayMs", 0) / 1000, piece))
            on_way.put_nowait((0, b""))
            await giving
            raise ConnectionResetError("the server left")
        finally:
            giving.cancel()

    async def give(self, on_way, viewer):
        loop = asyncio.get_running_loop()
        while True:
            at, piece = await on_way.get()
            if not piece:
                return
            wait = at - time.monotonic()
            if wait > 0.001:
                await asyncio.sleep(wait)
            await loop.sock_sendall(viewer, piece)


async def serve(link, listener):
    loop = asyncio.get_running_loop()
    tasks = set()
    while True:
        viewer, _ = await loop.sock_accept(listener)
        task = asyncio.ensure_future(link.join(viewer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def main():
    serving, ports = [], []
    for index, options in enumerate(json.loads(sys.argv[1])):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        ports.append(listener.getsockname()[1])
        serving.append(serve(Link({**options, "index": index}), listener))
    print(json.dumps(ports), flush=True)
    await asyncio.gather(*serving)


asyncio.run(main())
