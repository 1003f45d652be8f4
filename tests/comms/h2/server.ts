/** A server's connection under test, with what it was told. */
import { H2Connection } from "../../../lib/comms/h2/connection.ts";
import type { H2Options, H2Stream } from "../../../lib/comms/h2/types.ts";
import { joined } from "../../contract/streams.ts";
import { drain } from "./take.ts";

/** What one stream was told, as text. */
export interface Told {
  readonly stream: H2Stream;
  readonly events: string[];
  /** The body so far. */
  readonly chunks: Uint8Array[];
}

/** A server that answers nothing and consumes what comes, unless it is told otherwise. */
export class TestServer {
  readonly told: Told[] = [];
  readonly h2: H2Connection;
  /** Whether bytes are consumed when they come. */
  consumes = true;
  onEnd: (stream: H2Stream) => void = () => {};
  /** Milliseconds. */
  time = 0;

  constructor(options: H2Options = {}) {
    const now = () => this.time;
    this.h2 = new H2Connection("server", {
      now,
      onStream: (stream) => this.#onStream(stream),
      ...options,
    });
  }

  /** Pushes all, and gives what is sent. */
  push(...parts: Uint8Array[]): Uint8Array {
    this.h2.push(joined(parts));
    return this.sent();
  }

  /** What is to be sent. */
  sent(): Uint8Array {
    return drain(this.h2);
  }

  get events(): string[][] {
    return this.told.map(({ events }) => events);
  }

  #onStream(stream: H2Stream): void {
    const told: Told = { stream, events: [], chunks: [] };
    this.told.push(told);
    stream.sink = {
      data: (bytes) => {
        told.chunks.push(bytes.slice());
        told.events.push(`data ${bytes.length}`);
        if (this.consumes) stream.consume(bytes.length);
        return false;
      },
      end: (trailers) => {
        told.events.push(`end ${[...trailers].join(" ")}`.trim());
        this.onEnd(stream);
      },
      gone: (code, reason) => told.events.push(`gone ${code}: ${reason}`),
    };
  }
}
