import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { encodeFields, HpackDecoder, HpackError } from "../../../lib/comms/h2/hpack.ts";
import type { Field } from "../../../lib/comms/h2/types.ts";
import { seeded } from "../../random.ts";
import { bytes, hex } from "./wire.ts";

const PLENTY = 1 << 20;
const GO = new URL("../../fixtures/h2/go_hpack.json", import.meta.url);

const DATE = "Mon, 21 Oct 2013 20:13:2";
const ANSWERS: Field[][] = [
  [
    [":status", "302"],
    ["cache-control", "private"],
    ["date", `${DATE}1 GMT`],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "307"],
    ["cache-control", "private"],
    ["date", `${DATE}1 GMT`],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", `${DATE}2 GMT`],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];
const REQUESTS: Field[][] = [
  [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "www.example.com"]],
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "www.example.com"],
    ["cache-control", "no-cache"],
  ],
  [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ],
];
/** Makes the table as small as the examples have it by SETTINGS: 256 bytes. */
const TABLE_256 = "3fe101";

/** RFC 7541, appendix C. */
const EXAMPLES: Record<string, { blocks: string[]; fields: Field[][] }> = {
  "C.2.1, a literal with indexing": {
    blocks: ["400a637573746f6d2d6b65790d637573746f6d2d686561646572", "be"],
    fields: [[["custom-key", "custom-header"]], [["custom-key", "custom-header"]]],
  },
  "C.2.2, a literal without indexing": {
    blocks: ["040c2f73616d706c652f70617468"],
    fields: [[[":path", "/sample/path"]]],
  },
  "C.2.3, a literal never indexed": {
    blocks: ["100870617373776f726406736563726574"],
    fields: [[["password", "secret"]]],
  },
  "C.2.4, an indexed field": { blocks: ["82"], fields: [[[":method", "GET"]]] },
  "C.3, requests": {
    blocks: [
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ],
    fields: REQUESTS,
  },
  "C.4, requests with Huffman": {
    blocks: [
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ],
    fields: REQUESTS,
  },
  "C.5, answers, with eviction": {
    blocks: [
      `${TABLE_256}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a` +
      "323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f" +
      "3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20" +
      "76657273696f6e3d31",
    ],
    fields: ANSWERS,
  },
  "C.6, answers with Huffman, with eviction": {
    blocks: [
      `${TABLE_256}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad` +
      "171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335df" +
      "dfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ],
    fields: ANSWERS,
  },
};

describe("HpackDecoder", () => {
  for (const [name, { blocks, fields }] of Object.entries(EXAMPLES)) {
    it(`decodes example ${name}`, () => {
      const decoder = new HpackDecoder();
      assertEquals(blocks.map((block) => decoder.decode(hex(block), PLENTY)), fields);
    });
  }

  it("decodes what Go's encoder makes, with a table that changes its size", () => {
    const blocks = JSON.parse(readFileSync(GO, "utf8")) as { hex: string; fields: Field[] }[];
    assert(blocks.length >= 100);
    const decoder = new HpackDecoder();
    for (const { hex: block, fields } of blocks) {
      assertEquals(decoder.decode(hex(block), PLENTY), fields);
    }
  });

  it("leaves out a list that is too large, and keeps the table right", () => {
    const decoder = new HpackDecoder();
    const block = hex("400a637573746f6d2d6b65790d637573746f6d2d686561646572");
    const bytes = "custom-key".length + "custom-header".length + 32;
    assertEquals(decoder.decode(block, bytes - 1), undefined);
    assertEquals(decoder.decode(hex("be"), bytes), [["custom-key", "custom-header"]]);
  });

  const broken: Record<string, string> = {
    "index 0": "80",
    "an index beyond both tables": "be",
    "a block that is cut in an integer": "ff",
    "a block that is cut in a string": "0003616263056162",
    "an integer that never ends": "ff8080808080808080808001",
    "a table larger than allowed": "3fe21f",
    "a table's size behind a field": "8220",
    "Huffman with the symbol of the end": "0001618 4ffffffff".replaceAll(" ", ""),
    "Huffman with padding of 8 bits": "00016182 1fff".replaceAll(" ", ""),
    "Huffman with padding of zeros": "0001618118",
  };
  for (const [name, block] of Object.entries(broken)) {
    it(`refuses ${name}`, () => {
      assertThrows(() => new HpackDecoder().decode(hex(block), PLENTY), HpackError);
    });
  }

  it("throws nothing else, whatever comes", () => {
    const random = seeded(11);
    for (let i = 0; i < 5000; i++) {
      const block = Uint8Array.from({ length: 1 + i % 60 }, () => Math.floor(random() * 256));
      try {
        new HpackDecoder().decode(block, 1 << 14);
      } catch (error) {
        assertInstanceOf(error, HpackError, `block ${i}: ${error}`);
      }
    }
  });

  it("keeps no more than its table holds", () => {
    const decoder = new HpackDecoder();
    const large = bytes(0x40, 1, "a", 0x7f, 0xa1, 0x1e, "z".repeat(4000));
    assertEquals(decoder.decode(large, PLENTY)![0]![1].length, 4000);
    assertEquals(decoder.decode(hex("be"), PLENTY)![0]![0], "a");
    // A field of more than 4096 bytes empties it.
    decoder.decode(bytes(0x40, 1, "b", 0x7f, 0xfa, 0x1f, "z".repeat(4217)), PLENTY);
    assertThrows(() => decoder.decode(hex("be"), PLENTY), HpackError);
  });
});

describe("strings", () => {
  it("give a character for each byte, however long they are", () => {
    const value = Uint8Array.from({ length: 10_000 }, (_, i) => i % 256);
    const field = bytes(0, 1, "a", 0x7f, 0x91, 0x4d, value);
    const [[, text]] = new HpackDecoder().decode(field, PLENTY) as [Field];
    assertEquals(Uint8Array.from(text, (character) => character.charCodeAt(0)), value);
  });

  it("give as many as their Huffman code has, however long they are", () => {
    // Each 0 has five bits, eight of them five bytes.
    const zeros = bytes(0, 1, "a", 0xff, 0x89, 0x26, new Uint8Array(5000));
    assertEquals(new HpackDecoder().decode(zeros, PLENTY), [["a", "0".repeat(8000)]]);
  });
});

describe("encodeFields", () => {
  it("makes blocks that stand for themselves", () => {
    const fields: Field[] = [
      [":status", "200"],
      [":status", "415"],
      ["content-type", "application/grpc"],
      ["grpc-status", "0"],
      ["grpc-message", ""],
      ["x-long", "y".repeat(40_000)],
      [":path", "/rerun.sdk_comms.v1alpha1.MessageProxyService/WriteMessages"],
    ];
    const decoder = new HpackDecoder();
    for (const isFirst of [true, false, false]) {
      assertEquals(decoder.decode(encodeFields(fields, isFirst), PLENTY), fields);
    }
  });

  it("begins the first block with a table of 0 bytes, as a peer that allows none expects", () => {
    assertEquals(encodeFields([[":status", "200"]], true), hex("2088"));
    assertEquals(encodeFields([[":status", "200"]]), hex("88"));
  });

  it("sends text as UTF-8", () => {
    assertEquals(encodeFields([["x", "é"]]), hex("000178 02c3a9".replaceAll(" ", "")));
    const text = "€\u{1f916}\ud800".repeat(1000);
    const [[, sent]] = new HpackDecoder().decode(encodeFields([["x", text]]), PLENTY) as [Field];
    const utf8 = Uint8Array.from(sent, (character) => character.charCodeAt(0));
    assertEquals(utf8, new TextEncoder().encode(text));
  });
});
