/** Requests for files of the disk by who means no good. */
import { execFileSync } from "node:child_process";
import { existsSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Must } from "./host.ts";
import { type Disk, SECRET } from "./shelf_disk.ts";

const ANSWER_MS = 10_000;

/** A server that shows a disk, and who asks it. */
export interface Shown {
  /** Names the run in what is told. */
  readonly name: string;
  readonly port: number;
  readonly token: string;
  readonly disk: Disk;
  /** Names of the files that it lists. */
  readonly names: ReadonlySet<string>;
  readonly must: Must;
}

/** Sends a request as it stands, with the token, and gives the answer, head and all. */
function ask({ port, token }: Shown, method: string, target: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(done, ANSWER_MS);
    socket.on("error", done).on("close", done);
    socket.on("data", (bytes) => answer += bytes.toString("latin1"));
    const head = [
      `${method} ${target} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${token}`,
      ...["Connection: close", "", ""],
    ];
    socket.write(head.join("\r\n"), "latin1");
  });
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);

/** Names that would lead out of a folder if they were paths. */
function targets({ secret }: Disk): string[] {
  const up = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "%252e%252e%252f", ".../"];
  const ways = up.flatMap((step) => [1, 2, 6].map((times) => step.repeat(times)));
  return [
    ...ways.flatMap((way) => [`${way}outside/secret.rrd`, `day%200/${way}outside/secret.rrd`]),
    ...ways.map((way) => `${way}etc/passwd`),
    ...["/etc/passwd", "%2fetc%2fpasswd", "//etc/passwd", secret, encodeURIComponent(secret)],
    ...["link.rrd", "folder%20link/secret.rrd", "folder%20link%2fsecret.rrd", "pipe.rrd"],
    ...["secret.rrd", "outside/secret.rrd", "day%200", "day%200/", "...", "\0", "%00"],
    ...["day%200%2frun%200.rrd%00", "day%200%2frun%200.rrd%00.txt", "link.rrd%00.rrd"],
    ...["day%200%2frun%200.rrd%2f", "day%200%2f%2frun%200.rrd", "day%200%2f.%2frun%200.rrd"],
    ...["%", "%f", "%ff", "file:///etc/passwd", "%c0%ae%c0%ae%c0%afetc%c0%afpasswd"],
    ...["(2)%20link.rrd", "(2)%20..%2foutside%2fsecret.rrd", "__proto__", "constructor"],
    ...["{recording_id}.rrd.index.jsonl", "%7Brecording_id%7D.rrd.index.jsonl"],
    "x".repeat(6000),
  ];
}

/** Names that are paths, encoded in all ways, and other addresses that might lead there. */
export async function attack(shown: Shown): Promise<void> {
  const { name, port, disk, names, must } = shown;
  const isListed = (target: string) => {
    try {
      return names.has(decodeURIComponent(target));
    } catch {
      return false;
    }
  };
  const wrong: string[] = [];
  let asked = 0;
  for (const target of targets(disk)) {
    const addresses = [
      ...[`/files/${target}`, `http://127.0.0.1:${port}/files/${target}`, `/files//${target}`],
      ...[`/files/?name=${target}`, `/recordings/${target}.rrd`, `/${target}`],
    ];
    for (const address of addresses) {
      for (const method of ["GET", "DELETE"]) {
        const answer = await ask(shown, method, address);
        asked++;
        const status = statusOf(answer);
        const isLeak = answer.includes(SECRET) || answer.includes("root:");
        const isGiven = address === `/files/${target}` && status < 300 && !isListed(target);
        if (isLeak || isGiven || status === 0 || status >= 500) {
          wrong.push(`${method} ${address.slice(0, 80)}: ${status}`);
        }
      }
    }
  }
  must(
    wrong.length === 0,
    `${name}: ${asked} hostile requests lead nowhere ${wrong.slice(0, 10).join(", ")}`,
  );
  must(
    [disk.secret, join(disk.given, "link.rrd"), join(disk.given, "day 0", "run 0.rrd")]
      .every((path) => existsSync(path)),
    `${name}: nothing outside was removed, nor what was given`,
  );
}

/** What was listed as a file is a link or a pipe by now, or its folder is a link. */
export async function replaced(shown: Shown): Promise<void> {
  const { name, disk, must } = shown;
  const [saved, given] = [join(disk.saved, "saved-1.rrd"), join(disk.given, "day 0/run 1.rrd")];
  const [pipe, folder] = [join(disk.saved, "saved-2.rrd"), join(disk.given, "day 1")];
  for (const path of [saved, given]) {
    unlinkSync(path);
    symlinkSync(disk.secret, path);
  }
  unlinkSync(pipe);
  execFileSync("mkfifo", [pipe]);
  renameSync(folder, join(disk.base, "moved"));
  symlinkSync(disk.outside, folder);
  disk.hide("run 100.rrd");
  const wrong: string[] = [];
  const asked = ["saved-1.rrd", "day%200%2Frun%201.rrd", "saved-2.rrd", "day%201%2Frun%20100.rrd"];
  for (const target of asked) {
    const answer = await ask(shown, "GET", `/files/${target}`);
    if (statusOf(answer) !== 404) wrong.push(`${target}: ${statusOf(answer)}`);
    await ask(shown, "DELETE", `/files/${target}`);
  }
  must(wrong.length === 0, `${name}: links and pipes in place of files lead nowhere ${wrong}`);
  must(
    existsSync(disk.secret) && existsSync(join(disk.outside, "run 100.rrd")),
    `${name}: what they lead to stays`,
  );
}

/** Who may remove what. */
export async function removal({ name, port, token, disk, must }: Shown): Promise<void> {
  const page = `http://127.0.0.1:${port}`;
  const right = { authorization: `Bearer ${token}` };
  const remove = async (url: string, headers: Record<string, string>) => {
    const { status, body } = await fetch(`${page}/files/${url}`, { method: "DELETE", headers });
    await body?.cancel();
    return status;
  };
  const login = await fetch(`${page}/recordings?token=${token}`);
  await login.body?.cancel();
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  const refused = [
    await remove("saved-5.rrd", {}),
    await remove(`saved-5.rrd?token=${token}`, {}),
    await remove("saved-5.rrd", { cookie }),
    await remove("saved-5.rrd", { authorization: "Bearer wrong" }),
    await remove("saved-5.rrd", { ...right, origin: "http://elsewhere.example" }),
    await remove("day%200%2Frun%205.rrd", right),
    await remove("saved-none.rrd", right),
  ];
  must(
    refused.join() === "401,401,401,401,403,403,404" && cookie !== "",
    `${name}: without the token in a header, by others' pages, of what was given: ${refused}`,
  );
  const file = join(disk.saved, "saved-5.rrd");
  must(existsSync(file), `${name}: and the file is there`);
  const status = await remove("saved-5.rrd", right);
  const after = await (await fetch(`${page}/files?search=saved-5.rrd`, { headers: right })).json();
  must(
    status === 204 && !existsSync(file) && after.length === 0,
    `${name}: with the token in a header it is removed: ${status}`,
  );
}
