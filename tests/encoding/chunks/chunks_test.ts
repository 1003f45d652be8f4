import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Vector } from "apache-arrow";
import { type Chunk, chunk, chunks, InvalidMessage, Tuid } from "../../../lib/encoding/mod.ts";
import { readSchema } from "../../../lib/encoding/arrow/arrow_ipc.ts";
import type { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { ALL, arrowOf, MIXED, recorded, SAVED } from "./recorded.ts";

/** All that was logged, by entity and component, then by frame. */
type Logged = Map<string, Map<string, unknown>>;

function logged(messages: readonly ArrowMsg[]): Logged {
  const all: Logged = new Map();
  for (const { entityPath, rowCount, timelines, components } of messages.flatMap(chunks)) {
    const frames = timelines.find(({ name }) => name === "frame");
    for (const each of components) {
      const key = `${entityPath} ${each.name} ${each.component}`;
      const values = all.get(key) ?? new Map<string, unknown>();
      all.set(key, values);
      for (let row = 0; row < rowCount; row++) {
        const value = each.at(row);
        if (value !== undefined) values.set(frames ? String(frames.times[row]) : "static", value);
      }
    }
  }
  return all;
}

/** Values of the second as of the first, where both have them; gives how many these are. */
function compare(one: Logged, other: Logged, keys: RegExp): number {
  let same = 0;
  for (const [key, values] of one) {
    if (!keys.test(key)) continue;
    for (const [frame, value] of values) {
      const there = other.get(key)?.get(frame);
      if (there === undefined) continue;
      assertEquals(there, value, `${key}, frame ${frame}`);
      same++;
    }
  }
  return same;
}

/** A value of `apache-arrow` as `at` gives it. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) return [...value as Uint8Array];
  if ("toArray" in value && "type" in value) return [...value as Vector].map(plain);
  return Object.fromEntries(
    Object.entries((value as { toJSON(): object }).toJSON()).map(([key, each]) => [
      key,
      plain(each),
    ]),
  );
}

/** The same for what `at` gave: numbers of fixed lists lie flat in it. */
function flat(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return [...value as Uint8Array];
  if (Array.isArray(value)) return value.map(flat);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, flat(each)]));
  }
  return value;
}

describe("chunks of one workload", () => {
  const [tcp, grpc] = [MIXED.filter((name) => /^0\.(?:1|20|21|22)/.test(name)), [
    "0.23.4-mixed",
    "0.36.2-mixed",
    "0.41.0-mixed",
  ]];
  const reference = logged(arrowOf(recorded("0.22.1-mixed")));
  const today = logged(arrowOf(recorded("0.41.0-mixed")));

  for (const name of tcp) {
    it(`are of equal values in ${name} and in 0.22.1`, () => {
      const other = logged(arrowOf(recorded(name)));
      assert(compare(reference, other, /^\/plots\/(?:sin|cos) Scalars:scalars/) >= 20);
      assert(
        compare(reference, other, /^\/world\/points Points3D:(?:positions|colors|radii)/) >= 30,
      );
      assert(compare(reference, other, /^\/logs TextLog:(?:text|level)/) >= 4);
      assert(compare(reference, other, /^\/(?:desc|world) /) >= 3);
    });
  }

  for (const name of grpc) {
    it(`are of equal values in ${name} and in 0.41.0`, () => {
      const other = logged(arrowOf(recorded(name)));
      assert(compare(today, other, /^\/plots\/sin Scalars:scalars/) === 30);
      assert(compare(today, other, /^\/world\/points Points3D:positions/) === 30);
      assert(compare(today, other, /^\/cam\/image Image:(?:buffer|format)/) === 6);
      assert(compare(today, other, /^\/world ViewCoordinates:xyz/) === 1);
      assert(compare(today, reference, /^\/plots\/sin Scalars:scalars/) >= 20);
    });
  }

  it("have today's names, and those that were sent", () => {
    const names = (name: string) => {
      const all = arrowOf(recorded(name)).flatMap(chunks);
      const sin = all.find(({ entityPath, components }) =>
        entityPath === "/plots/sin" && components.length > 0
      )!;
      const [{ name: today, archetype, field, component, column }] = sin.components as unknown as [
        Chunk["components"][0],
      ];
      assertEquals([today, archetype, field, component], [
        "Scalars:scalars",
        "rerun.archetypes.Scalars",
        "scalars",
        "rerun.components.Scalar",
      ]);
      return column.name;
    };
    assertEquals(MIXED.map(names), [
      ...MIXED.filter((name) => /^0\.(?:1|20|21|22)/.test(name))
        .map(() => "rerun.components.Scalar"),
      "Scalar",
      "Scalars:scalars",
      "Scalars:scalars",
    ]);
  });

  it("know their timelines: sequences, moments to the nanosecond, and how much time went by", () => {
    const of = (name: string) =>
      arrowOf(recorded(name)).flatMap(chunks).find(({ isStatic }) => !isStatic)!.timelines
        .map(({ name, type, times, validity }) => [name, type, times[0], validity]);
    assertEquals(of("0.15.1-mixed"), [
      ["frame", "sequence", 0n, undefined],
      ["log_tick", "sequence", 2n, undefined],
      ["log_time", "timestamp", 1795339208459647154n, undefined],
      ["sim", "timestamp", 0n, undefined],
    ]);
    assertEquals(of("0.41.0-mixed"), [
      ["frame", "sequence", 0n, undefined],
      ["log_time", "timestamp", 1795340191197995269n, undefined],
      ["sim", "duration", 0n, undefined],
    ]);
  });

  it("have row ids, whichever way they lie", () => {
    const first = (name: string) => arrowOf(recorded(name)).flatMap(chunks)[0]!.rowIds[0];
    assertEquals(first("0.22.1-mixed")?.toString(), "18EA51C111F5037F5EAC360DCD647588");
    assertEquals(first("0.41.0-mixed"), new Tuid(0x18EA5464498E436An, 0x4C9FF003487F0BB9n));
  });
});

describe("chunks", () => {
  for (
    const [name, messages] of [
      ...ALL.map((name) => [name, arrowOf(recorded(name))] as const),
      ...SAVED,
    ]
  ) {
    it(`hold in ${name} what apache-arrow reads`, async () => {
      let values = 0;
      for (const msg of messages) {
        const [table, { fields, entityPath }] = [await msg.table(), readSchema(msg.ipc())];
        assertEquals(msg.entityPath, entityPath);
        if (entityPath === undefined) continue;
        const one = chunk(msg);
        assertEquals([one.entityPath, one.rowCount], [entityPath, table.numRows]);
        assertEquals(one.rowIds.length, table.numRows);
        for (const each of one.components) {
          const index = fields.findIndex(({ name }) => name === each.column.name);
          const vector = table.getChildAt(index)!;
          for (let row = 0; row < table.numRows; row++, values++) {
            const there = plain(vector.get(row)) as unknown[] | null;
            const isUnion = JSON.stringify(fields[index]!.children).includes('"Union"');
            if (isUnion) continue;
            const deep = fields[index]!.children[0]?.type === "FixedSizeList";
            assertEquals(flat(each.at(row)), (deep ? there?.flat(9) : there) ?? undefined);
          }
        }
      }
      assert(values > 0 || messages.every(({ entityPath }) => entityPath === undefined));
    });
  }

  it("of a table are one for each entity, and one for what of it is static", () => {
    const all = arrowOf(recorded("0.15.1-mixed"));
    const [first] = all;
    assertEquals(first!.entityPath, undefined);
    assertThrows(() => chunk(first!), TypeError, "chunks(msg)");
    assertEquals(
      chunks(first!).map(({ entityPath, rowCount, isStatic, components }) => [
        ...[entityPath, rowCount, isStatic],
        components.map(({ name }) => name).join(),
      ]),
      [
        ["/world", 1, true, "ViewCoordinates:xyz"],
        ["/desc", 1, true, "TextDocument:media_type,TextDocument:text"],
        ["/plots/sin", 1, false, "Scalars:scalars"],
        ["/plots/cos", 1, false, "Scalars:scalars"],
        [
          ...["/world/points", 1, false],
          "Points3D:colors,Points3D:positions,Points3D:radii",
        ],
      ],
    );
    for (const [path, messages] of SAVED.filter(([path]) => path.startsWith("tables/"))) {
      assertEquals(messages.flatMap(chunks).some(({ isStatic }) => isStatic), true, path);
      assertEquals(messages.flatMap(chunks).some(({ isStatic }) => !isStatic), true, path);
    }
  });

  it("of SDK 0.9 to 0.15 have in one row what was logged once for all instances", () => {
    for (const name of ["0.15.1-mixed", "0.16.1-mixed", "0.17.0-mixed"]) {
      let [points, radii] = [0, 0];
      for (const each of arrowOf(recorded(name)).flatMap(chunks)) {
        if (each.entityPath !== "/world/points") continue;
        assertEquals(each.rowIds.length, each.rowCount);
        for (let row = 0; row < each.rowCount; row++) {
          const positions = each.component("Points3D:positions")?.at(row);
          if (positions === undefined) continue;
          points++;
          assertEquals(positions.length, 300);
          const radius = each.component("Points3D:radii")?.at(row);
          if (radius === undefined) continue;
          radii++;
          assertEquals(radius, Float32Array.of(0.05), name);
        }
      }
      // A pair of rows that came in two messages stays two.
      assertEquals([points, radii], [30, name.startsWith("0.15") ? 29 : 30], name);
    }
  });

  it("are found by any of their names, and say which rows there are", () => {
    const msg = arrowOf(recorded("0.22.1-mixed")).find((each) =>
      chunk(each).component("Points3D:positions") !== undefined
    )!;
    const points = chunk(msg);
    const positions: Float32Array | undefined = points.component("Points3D:positions")?.at(0);
    assertEquals(positions?.length, 300);
    assertEquals(points.component("rerun.components.Position3D")?.at(0), positions);
    assertEquals(points.component("Scalars:scalars"), undefined);
    const { column } = points.component("Points3D:positions")!;
    assertEquals([column.name, column.values, [...column.offsets!]], [
      "rerun.components.Position3D",
      positions,
      [0, 100],
    ]);
    for (const row of [-1, 1, 0.5, NaN]) {
      assertThrows(() => points.components[0]!.at(row), RangeError, `no row ${row}`);
    }
  });

  it("are refused where the data is cut short", () => {
    const msg = arrowOf(recorded("0.22.1-mixed"))[0]!;
    const bytes = msg.ipc().subarray(0, -64);
    const cut: ArrowMsg = Object.create(msg, {
      arrow: { value: { bytes, compression: "off", uncompressedSize: bytes.length } },
    });
    assertThrows(() => chunk(cut), InvalidMessage, "cut short");
  });
});
