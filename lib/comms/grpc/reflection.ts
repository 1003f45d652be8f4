/**
 * Answers `grpc.reflection.v1`, by which tools such as grpcurl learn what services there are.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { bytes, readMessage, string } from "../../encoding/protobuf/protobuf.ts";
import { fileNamed, fileOf, SERVICES } from "./descriptors.ts";
import { STATUS } from "./status.ts";

/** Fields of the answer. */
const [ORIGINAL_REQUEST, FILES, LIST, ERROR] = [2, 4, 6, 7];

/**
 * Answers one question.
 *
 * @param request a `ServerReflectionRequest`
 * @returns the `ServerReflectionResponse`; it has an error in itself if what was asked for does not
 * exist
 * @throws {InvalidMessage} if the request is damaged
 */
export function reflect(request: Uint8Array): Uint8Array {
  let files: Uint8Array[] | undefined;
  let isList = false;
  let asked = "answer to this question";
  readMessage(request, "ServerReflectionRequest", {
    3: string((name) => [files, asked] = [fileNamed(name), `file ${name}`]),
    4: string((symbol) => [files, asked] = [fileOf(symbol), symbol]),
    5: bytes(() => asked = "such extension"),
    6: string((type) => asked = `extension of ${type}`),
    7: string(() => isList = true),
  });
  const answer = new BinaryWriter();
  answer.tag(ORIGINAL_REQUEST, WireType.LengthDelimited).bytes(request);
  if (isList) {
    answer.tag(LIST, WireType.LengthDelimited).fork();
    for (const name of SERVICES) {
      answer.tag(1, WireType.LengthDelimited).fork();
      answer.tag(1, WireType.LengthDelimited).string(name).join();
    }
  } else if (files !== undefined) {
    answer.tag(FILES, WireType.LengthDelimited).fork();
    for (const file of files) answer.tag(1, WireType.LengthDelimited).bytes(file);
  } else {
    answer.tag(ERROR, WireType.LengthDelimited).fork();
    answer.tag(1, WireType.Varint).int32(STATUS.NOT_FOUND);
    answer.tag(2, WireType.LengthDelimited).string(`There is no ${asked.slice(0, 128)}`);
  }
  return answer.join().finish();
}
