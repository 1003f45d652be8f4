/** Does nothing but listen by what the runtime itself offers, and say so. */
import process from "node:process";

interface Runtime {
  Deno?: { listen(options: { port: number }): unknown };
  Bun?: { listen(options: object): unknown };
}

const { Deno, Bun } = globalThis as Runtime;
Deno?.listen({ port: 0 });
Bun?.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
process.stderr.write("Hosting nothing\n");
