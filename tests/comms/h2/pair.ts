/** A client and a server whose bytes go back and forth in memory. */
import { H2Connection } from "../../../lib/comms/h2/connection.ts";
import type { Field, H2Options, H2Stream } from "../../../lib/comms/h2/types.ts";
import { TestServer } from "./server.ts";
import { drain } from "./take.ts";

/** What a client's stream was told. */
export interface Asked {
  readonly stream: H2Stream;
  readonly events: string[];
}

export const FIELDS: readonly Field[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/proxy"],
  [":authority", "127.0.0.1:9876"],
  ["te", "trailers"],
];

/** Both ends, and what was asked. */
export class Pair {
  readonly client: H2Connection;
  readonly server: TestServer;

  constructor(clientOptions: H2Options = {}, serverOptions: H2Options = {}) {
    const now = () => this.server.time;
    this.server = new TestServer(serverOptions);
    this.client = new H2Connection("client", { now, ...clientOptions });
  }

  /** Opens a stream. */
  ask(isEnd = false, fields: readonly Field[] = FIELDS): Asked {
    const stream = this.client.request(fields, isEnd);
    if (stream === undefined) throw new Error("no stream may be opened");
    const events: string[] = [];
    stream.sink = {
      headers: (headers) => events.push(`headers ${[...headers].join(" ")}`),
      data: (bytes) => {
        events.push(`data ${new TextDecoder().decode(bytes)}`);
        stream.consume(bytes.length);
      },
      end: (trailers) => events.push(`end ${[...trailers].join(" ")}`.trim()),
      gone: (code, reason) => events.push(`gone ${code}: ${reason}`),
    };
    return { stream, events };
  }

  /** Carries bytes until neither has any to send. */
  carry(): void {
    for (;;) {
      const up = drain(this.client);
      const down = this.server.sent();
      if (up.length + down.length === 0) return;
      this.server.h2.push(up);
      this.client.push(down);
    }
  }
}
