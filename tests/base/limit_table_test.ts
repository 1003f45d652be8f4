import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import {
  type Limit,
  LIMIT_DEFAULTS,
  LIMITS,
  optionText,
  VIEWER_LIMITS,
} from "../../lib/base/limit_table.ts";
import { OPTION_TABLE } from "../../lib/cli/args/option_table.ts";
import { MAX_PACKET_BYTES } from "../../lib/comms/sdk/packet_reader.ts";
import { DECODE_LIMITS } from "../../lib/encoding/limits.ts";
import { CHANNEL_LIMIT_BYTES } from "../../lib/flow/channel/smart_channel_options.ts";
import { resolveOptions } from "../../lib/server/options.ts";
import { read } from "../project/tree.ts";

const ALL: Record<string, Limit> = { ...LIMITS, ...VIEWER_LIMITS };

/** How docstrings write a default. */
function inWords({ default: preset, unit }: Limit): string {
  if (preset === Infinity) return "infinity";
  if (unit !== "bytes" || preset < 2 ** 20) {
    return preset < 10_000 ? String(preset) : preset.toLocaleString("en-US");
  }
  return preset < 2 ** 30 ? `${preset / 2 ** 20} MiB` : `${preset / 2 ** 30} GiB`;
}

/** The docstring of a field. */
function docOf(field: string, ...paths: string[]): string | undefined {
  const pattern = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*readonly ${field}\\?:`);
  return paths.map((path) => pattern.exec(read(path))?.[1]).find((doc) => doc !== undefined)
    ?.replaceAll(/\s*\n\s*\*\s*/g, " ");
}

describe("the table of limits", () => {
  it("has the defaults of serve and of what stands alone", () => {
    const resolved: Record<string, unknown> = { ...resolveOptions({}) };
    for (const [option, preset] of Object.entries(LIMIT_DEFAULTS)) {
      assertEquals(resolved[option], preset, option);
    }
    assertEquals(LIMIT_DEFAULTS.channelLimitBytes, CHANNEL_LIMIT_BYTES);
    assertEquals(LIMIT_DEFAULTS.maxPacketBytes, MAX_PACKET_BYTES);
    assertEquals({ ...LIMIT_DEFAULTS, ...DECODE_LIMITS }, LIMIT_DEFAULTS);
  });

  it("has a flag of its own for each, which the command line knows", () => {
    const names = (OPTION_TABLE as readonly { name: string }[]).map(({ name }) => name);
    const flags = Object.values(ALL).map(({ flag }) => flag);
    assertEquals(flags.filter((flag) => !names.includes(flag)), []);
    assertEquals(new Set(flags).size, flags.length);
  });

  it("has an example where there is no limit by default", () => {
    for (const [option, { default: preset, example }] of Object.entries(ALL)) {
      assertEquals(preset === Infinity, example !== undefined, option);
    }
  });

  it("is what the docstrings of the options say", () => {
    for (const [option, limit] of Object.entries(ALL)) {
      const doc = docOf(
        option,
        "lib/server/options.ts",
        "lib/comms/sdk/patience.ts",
        "lib/encoding/limits.ts",
        "lib/viewers/types.ts",
      );
      assert(doc !== undefined, option);
      const [, told] = /\bdefault ([\d,.]+(?: [KMG]iB)?|infinity)/i.exec(doc) ?? [];
      assertEquals(told?.replace(/[,.]$/, ""), inWords(limit), `${option}: ${doc}`);
    }
  });
});

describe("optionText", () => {
  it("names the flag of an option, if it has one", () => {
    assertEquals(optionText("maxPacketBytes"), "(--max-packet, option maxPacketBytes)");
    assertEquals(optionText("maxConnectionsPerAddress").split(",")[0], "(--max-per-address");
    assertEquals(optionText("viewerQueueBytes").split(",")[0], "(--viewer-queue");
    assertEquals(optionText("onBadArrow"), "(--on-bad-arrow, option onBadArrow)");
    assertEquals(optionText("pauseAfterSec"), "(option pauseAfterSec)");
  });
});
