/**
 * Whether an Arrow IPC stream is all there, told by where its messages end.
 *
 * @module
 */
import { InvalidMessage } from "../errors.ts";
import { isEndOfStream, readIpcMessage } from "./_ipc_message.ts";

/**
 * Walks over an Arrow IPC stream, which must end with its end marker, or with its last message.
 *
 * @param ipc the stream, not compressed
 * @throws {InvalidMessage} if it does not end there
 */
export function checkArrowEnd(ipc: Uint8Array): void {
  let at = 0;
  while (at < ipc.length) {
    if (at > 0 && isEndOfStream(ipc, at)) {
      if (at + 8 === ipc.length) return;
      throw new InvalidMessage(`An Arrow IPC stream ends ${ipc.length - at - 8} bytes too early`);
    }
    const { bodyAt, bodyBytes } = readIpcMessage(ipc, at);
    at = bodyAt + bodyBytes;
  }
  if (at !== ipc.length) throw new InvalidMessage("An Arrow IPC stream is cut short");
}
