/** A small HTTP/2 server for h2spec; says its port. */
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import { H2Connection } from "../../lib/comms/h2/connection.ts";
import { H2Driver } from "../../lib/comms/h2/drive.ts";
import type { H2Stream } from "../../lib/comms/h2/types.ts";

const BODY = new TextEncoder().encode("hello, this is a body\n");

function onStream(stream: H2Stream): void {
  stream.sink = {
    data(bytes) {
      stream.consume(bytes.length);
      return false;
    },
    end() {
      stream.respond([[":status", "200"], ["content-type", "text/plain"]]);
      stream.write(BODY);
      stream.end();
    },
    gone() {},
  };
}

const drivers = new Set<H2Driver>();
setInterval(() => {
  for (const driver of drivers) driver.tick();
}, 1000);
const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
console.log(`Port ${listener.addr.port}`);
for (let socket = await listener.accept(); socket; socket = await listener.accept()) {
  const driver = new H2Driver(socket, new H2Connection("server", { onStream }));
  drivers.add(driver);
  driver.run().then(() => drivers.delete(driver));
}
