/** An authority, and certificates that it has signed, made by openssl. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Why tests are skipped that need them; `false` where they can be made. */
export const noOpenssl: string | false = spawnSync("openssl", ["version"]).status === 0
  ? false
  : "openssl is not on PATH";

/**
 * Makes `ca.pem`, and for each of `server` and `client` a `.pem` and a `.key`, in a folder.
 *
 * @param folder for all of them
 */
export function makeCertificates(folder: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(folder, "req", "-x509", ...key, "-days", "2", "-subj", "/CN=test authority", ...[
    ...["-keyout", "ca.key", "-out", "ca.pem"],
  ]);
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  for (const name of ["server", "client"]) {
    openssl(folder, "req", ...key, "-subj", `/CN=${name}`, ...[
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
    ]);
    openssl(folder, "x509", "-req", "-days", "2", "-in", `${name}.csr`, ...[
      ...["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", name === "server" ? "2" : "3"],
      ...["-extfile", "names", "-out", `${name}.pem`],
    ]);
  }
}

function openssl(cwd: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args[0]} ended with ${status}: ${stderr}`);
}
