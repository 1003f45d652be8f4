import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { UntilAborted, untilAborted } from "../../lib/base/until_aborted.ts";

const WAYS = {
  untilAborted: (signal: AbortSignal) => <T>(promise: Promise<T>) => untilAborted(signal, promise),
  UntilAborted: (signal: AbortSignal) => {
    const until = new UntilAborted(signal);
    return <T>(promise: Promise<T>) => until.wait(promise);
  },
};

for (const [name, wait] of Object.entries(WAYS)) {
  describe(name, () => {
    it("gives what a promise gives, value or error", async () => {
      const { signal } = new AbortController();
      const waiting = wait(signal);
      assertEquals(await waiting(Promise.resolve(7)), 7);
      await assertRejects(() => waiting(Promise.reject(new Error("bad disk"))), Error, "bad disk");
    });

    it("rejects all that wait with the signal's reason, and what comes later", async () => {
      const stopping = new AbortController();
      const waiting = wait(stopping.signal);
      const late = Promise.withResolvers<number>();
      const never = Array.from({ length: 3 }, () => waiting(new Promise(() => {})));
      const failing = waiting(late.promise);
      stopping.abort(new Error("the program ends"));
      for (const one of [...never, failing, waiting(Promise.resolve(7))]) {
        await assertRejects(() => one, Error, "the program ends");
      }
      // An error that nobody waits for any more must not end the program.
      late.reject(new Error("bad disk"));
      await new Promise((resolve) => setTimeout(resolve));
    });

    it("rejects at once where the signal was aborted before", async () => {
      const waiting = wait(AbortSignal.abort(new Error("the program ends")));
      await assertRejects(() => waiting(new Promise(() => {})), Error, "the program ends");
    });
  });
}
