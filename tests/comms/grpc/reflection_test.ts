import { describe, it } from "node:test";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import { fileNamed, fileOf, SERVICES } from "../../../lib/comms/grpc/descriptors.ts";
import { HEALTH_CHECK } from "../../../lib/comms/grpc/health.ts";
import { PROXY_METHODS, proxyMethod } from "../../../lib/comms/grpc/message_proxy.ts";
import { reflect } from "../../../lib/comms/grpc/reflection.ts";
import { bytes, readMessage, string, uint } from "../../../lib/encoding/protobuf/protobuf.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { field, numberField, textField } from "./frames.ts";

const SERVICE = "rerun.sdk_comms.v1alpha1.MessageProxyService";

/** What `protoc` would make of these files: refuses names that lead nowhere, and numbers that clash. */
function registryOf(files: readonly Uint8Array[]) {
  // What is imported stands behind what imports it, and is wanted before.
  const set = concat(...files.toReversed().map((file) => lengthDelimited(1, file)));
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
}

function lengthDelimited(number: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = value;
  return concat(Uint8Array.of(number << 3 | 2, length & 127 | 128, length >> 7), value);
}

interface Answer {
  original: Uint8Array;
  files: Uint8Array[];
  services: string[];
  error: [bigint, string] | undefined;
}

function ask(request: Uint8Array): Answer {
  const answer: Answer = { original: new Uint8Array(), files: [], services: [], error: undefined };
  let [code, text] = [0n, ""];
  readMessage(reflect(request), "ServerReflectionResponse", {
    2: bytes((value) => answer.original = value.slice()),
    4: bytes((value) =>
      readMessage(value, "FileDescriptorResponse", { 1: bytes((file) => answer.files.push(file)) })
    ),
    6: bytes((value) =>
      readMessage(value, "ListServiceResponse", {
        1: bytes((service) =>
          readMessage(service, "ServiceResponse", {
            1: string((name) => answer.services.push(name)),
          })
        ),
      })
    ),
    7: bytes((value) => {
      readMessage(value, "ErrorResponse", {
        1: uint((number) => code = number),
        2: string((words) => text = words),
      });
      answer.error = [code, text];
    }),
  });
  return answer;
}

describe("reflection", () => {
  it("lists what is answered, and nothing else", () => {
    const answer = ask(textField(7, "*"));
    assertEquals(answer.services, [...SERVICES]);
    assertEquals(answer.original, textField(7, "*"));
    for (const name of SERVICES) {
      const service = registryOf(fileOf(name)!).getService(name)!;
      for (const { name: method } of service.methods) {
        const path = `/${name}/${method}`;
        const isKnown = path === HEALTH_CHECK || proxyMethod(path) !== undefined ||
          method === "ServerReflectionInfo";
        assert(isKnown, path);
      }
    }
  });

  it("describes services so that their messages can be read", () => {
    const files = ask(textField(4, SERVICE)).files;
    const registry = registryOf(files);
    const methods = registry.getService(SERVICE)!.methods;
    assertEquals(methods.map(({ name }) => name).sort(), [...PROXY_METHODS].sort());
    const kinds = Object.fromEntries(methods.map(({ name, methodKind }) => [name, methodKind]));
    assertEquals(kinds, {
      WriteMessages: "client_streaming",
      ReadMessages: "server_streaming",
      WriteTable: "unary",
      ReadTables: "server_streaming",
    });
    const arrow = registry.getMessage("rerun.log_msg.v1alpha1.ArrowMsg")!;
    const payload = arrow.fields.find(({ name }) => name === "payload")!;
    assertEquals([payload.number, payload.fieldKind], [5, "scalar"]);
    const kind = registry.getMessage("rerun.common.v1alpha1.StoreId")!.fields[0]!;
    assertEquals(kind.fieldKind, "enum");
    assertEquals(registry.getMessage("rerun.log_msg.v1alpha1.LogMsg")!.oneofs[0]!.fields.length, 3);
    const chunkId = arrow.fields.find(({ name }) => name === "chunk_id")!;
    assertEquals([chunkId.proto.proto3Optional, chunkId.oneof], [true, undefined]);
  });

  it("finds files by their names, and by those of all that they define", () => {
    for (
      const symbol of [
        SERVICE,
        `${SERVICE}.ReadTables`,
        "rerun.log_msg.v1alpha1.LogMsg.arrow_msg",
        "rerun.common.v1alpha1.StoreKind",
        "rerun.common.v1alpha1.STORE_KIND_RECORDING",
        "grpc.health.v1.HealthCheckRequest",
        "rerun.log_msg.v0.ArrowMsg.payload",
      ]
    ) {
      const files = ask(textField(4, symbol)).files;
      const { name } = fromBinary(FileDescriptorProtoSchema, files[0]!);
      assertEquals(ask(textField(3, name)).files, files);
      assertEquals(fileNamed(name), files);
    }
  });

  it("says what there is not", () => {
    for (
      const [request, text] of [
        [textField(4, "rerun.nothing"), "There is no rerun.nothing"],
        [textField(4, "rerun.log_msg.v1alpha1.toString"), /toString/],
        [textField(4, "rerun.log_msg.v1alpha1.LogMsg.msg2"), /msg2/],
        [textField(4, `${SERVICE}.ReadTables.more`), /more/],
        [textField(3, "x.proto"), "There is no file x.proto"],
        [field(5, textField(1, "x"), numberField(2, 1)), /such extension/],
        [textField(6, "x"), /extension of x/],
        [new Uint8Array(), /this question/],
      ] as const
    ) {
      const { error, files } = ask(request);
      assertEquals([error?.[0], files], [5n, []]);
      if (typeof text === "string") assertEquals(error![1], text);
      else assert(text.test(error![1]), error![1]);
    }
    assertThrows(() => reflect(Uint8Array.of(34, 9)), InvalidMessage);
  });
});
