import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Bridge } from "../../lib/bridge/mod.ts";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { chunks } from "../../lib/encoding/mod.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { BRIDGED, capturedMessages, chunk, tagsOf } from "./chunks.ts";

/** Versions whose messages share a file, under the header of the one that came first. */
const MINORS = [17, 18, 19, 20, 21, 22];

/** A message as a file has it that begins with data of another version. */
function under(minor: number, msg: LogMsg): ArrowMsg {
  if (!(msg instanceof ArrowMsg)) throw new Error(msg.kind);
  const { storeId, chunkId, timepointMax, isStatic, arrow, encoded } = msg;
  const bytes = Uint8Array.from(encoded.header.bytes);
  bytes.set([0, minor, 0, 0], 4);
  const header = decodeRrdHeader(bytes);
  return new ArrowMsg(storeId, chunkId, timepointMax, isStatic, arrow, { ...encoded, header });
}

function bridged(messages: readonly LogMsg[]) {
  const bridge = new Bridge();
  return messages.map((msg) => {
    const today = bridge.bridge(msg);
    return [tagsOf(today), (today as ArrowMsg).ipc(), [...bridge.counts.untagged]];
  });
}

describe("chunks under the header of another version", () => {
  for (const name of BRIDGED) {
    const sent = () => capturedMessages(name).filter(({ kind }) => kind === "ArrowMsg");
    it(`${name}: become what they become under their own`, () => {
      for (const minor of MINORS) {
        assertEquals(bridged(sent().map((msg) => under(minor, msg))), bridged(sent()), `${minor}`);
      }
    });

    it(`${name}: are read as under their own`, () => {
      const read = (msg: LogMsg) =>
        chunks(msg as ArrowMsg).flatMap((chunk) =>
          chunk.components.map((each) => [chunk.entityPath, each.name, each.component])
        );
      for (const minor of MINORS) {
        assertEquals(sent().map((msg) => read(under(minor, msg))), sent().map(read), `${minor}`);
      }
    });
  }

  for (const views of ["SpaceView", "View"]) {
    it(`have the names of their views, which were called ${views}`, () => {
      const columns = [`${views}Class`, `${views}Origin`, "Visible", `${views}BlueprintIndicator`]
        .map((name) => `rerun.blueprint.components.${name}`);
      for (const minor of MINORS.slice(1)) {
        const tags = Object.values(tagsOf(new Bridge().bridge(chunk(columns, { minor }))));
        assertEquals(tags.slice(0, 3), [
          "blueprint.ViewBlueprint class_identifier blueprint.ViewClass",
          "blueprint.ViewBlueprint space_origin blueprint.ViewOrigin",
          "blueprint.ViewBlueprint visible Visible",
        ], `${minor}`);
      }
    });
  }
});
