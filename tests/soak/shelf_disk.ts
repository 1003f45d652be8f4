/** A disk with recordings that may be shown, and one beside them that may not. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  concat,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";

/** What only the file outside says. */
export const SECRET = "nobody may read this";

/** Recordings whose ids would like to be paths. */
export const HOSTILE_IDS = [
  "../../outside/secret",
  "..",
  "/etc/passwd",
  "a/../../outside/secret",
  "nul\0byte",
  "line\nbreak",
  "C:\\secret",
  "%2e%2e%2fsecret",
  "ö 100% #1?",
];

/** Names that are allowed, however they look. */
const ODD_NAMES = ["%2e%2e%2fsecret.rrd", "..rrd", "a #?&%.rrd", "two\nlines.rrd"];

function announced(id: string): Uint8Array {
  const info = { ...storeInfoFields(), store_id: { kind: "Recording", id } };
  return rrdMessage(setStoreInfo(info));
}

function fileOf(id: string): Uint8Array {
  return concat(rrdHeader(), announced(id), new Uint8Array(8));
}

/** A folder to be given, one to save into, and one that is neither. */
export class Disk implements Disposable {
  readonly base: string = mkdtempSync(join(tmpdir(), "rerelay-shelf-"));
  readonly given: string = join(this.base, "given");
  readonly saved: string = join(this.base, "saved");
  readonly outside: string = join(this.base, "outside");
  /** A recording that nobody may read. */
  readonly secret: string = join(this.outside, "secret.rrd");
  /** How many recordings there are to be given. */
  readonly givenFiles: number;

  /** Fills them: with so many files to be given, links and a pipe. */
  constructor(files: number) {
    for (const folder of [this.given, this.saved, this.outside]) mkdirSync(folder);
    this.hide("secret.rrd");
    for (let i = 0; i < files; i++) {
      const folder = join(this.given, `day ${Math.floor(i / 100)}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `run ${i}.rrd`), fileOf(`given-${i}`));
    }
    for (const name of ODD_NAMES) writeFileSync(join(this.given, name), fileOf(name));
    this.givenFiles = files + ODD_NAMES.length;
    symlinkSync(this.secret, join(this.given, "link.rrd"));
    symlinkSync(this.outside, join(this.given, "folder link"));
    execFileSync("mkfifo", [join(this.given, "pipe.rrd")]);
  }

  /** Puts another recording outside that nobody may read. */
  hide(name: string): void {
    writeFileSync(join(this.outside, name), fileOf(SECRET));
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** Has a server save recordings of these ids. */
export async function saveAll(port: number, ids: readonly string[]): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume().write(HELLO);
  for (const id of ids) {
    if (socket.write(framed(concat(rrdHeader(), announced(id))))) continue;
    await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  await closed;
}
