/**
 * The text of `--help`.
 *
 * @module
 */
import { OPTION_GROUPS } from "./option_table.ts";
import type { CliOption } from "./option.ts";
import { VERSION } from "../version.ts";

/** The text of `--help`, with a line feed at its end. */
export function helpText(): string {
  return `rerelay ${VERSION}: a headless server for Rerun logging SDKs, from 0.9 to today's

Usage: rerelay [OPTIONS] [FILE…]
       FILE…: recordings of the disk, or folders of them, to be shown with --serve-web
       rerelay rrd COMMAND    look into recordings, repair and send them; see rerelay rrd --help
       rerelay forward        how far recordings have travelled; see rerelay forward --help
       rerelay config         which options are in force; see rerelay config --help

${Object.entries(OPTION_GROUPS).map(section).join("\n\n")}

Examples:
  rerelay --save recording.rrd            keep what is logged to 127.0.0.1:9876
  rerelay --save 'rec/{application_id}-{part}.rrd' --rotate-size 1GiB
  rerelay --bind 0.0.0.0 --port 9870      take other machines' logs, on another port
  rerelay --serve-web --save run.rrd      keep it, and see it live at http://localhost:9090/
  rerelay recordings/ --serve-web         look at what was recorded before
  rerelay --drop-at-latency 200ms         drop whole frames rather than fall behind
  rerelay --port 0 --log-format json      a free port, and a log for machines
  rerelay --config rerelay.toml           options from a file

  In the Python program that logs, from SDK 0.23 on: rr.connect_grpc(), which means
  "rerun+http://127.0.0.1:9876/proxy"; 0.20 to 0.22: rr.connect_tcp("127.0.0.1:9876"), before
  that rr.connect(…). All come to the same port.

Files:
  PATTERN is a file's name, or one with {application_id}, {recording_id}, {date}, {time} (UTC),
  {part} or {box} in it: with {recording_id} each recording gets its own file, with {box} each box
  of --from (sdk: what came here directly). Names never leave the folder of PATTERN, and no file is
  ever replaced but that of --save FILE --force; an existing FILE is refused without. --rotate-size
  and --rotate-every need {part}, {date} or {time}.
  Each file opens alone in Rerun's viewer and CLI, that of SDK 0.17 to 0.22 in today's where
  --rrd-format is current. Else messages stand in it as the SDK encoded them;
  those encoded otherwise than the first go into NAME.2.rrd, NAME.3.rrd beside it. A file is called
  NAME.rrd.part until it is closed; one left by a crash is cut to its last whole message and renamed
  at the next start. A run in which nothing was logged leaves a valid, empty FILE.

  Beside files of a PATTERN with braces stands PATTERN.index.jsonl, which lists them; --keep and
  --keep-size remove only files that are listed there, those of earlier runs included, and first
  those that hold no data.

Limits:
  They bound what clients and viewers can take of this machine: what goes beyond one ends that
  client alone, with the option in the log. Times count only while we wait for the client.

Live viewers:
  The page is http://HOST:9090/. Native viewers 0.23 and later connect by
  rerun rerun+http://HOST:9876/proxy, and get what SDK 0.17 and later log; 0.16 to 0.22 by
  rerun ws://HOST:9877. http://HOST:9090/stream.rrd and /recordings/ID.rrd are recordings;
  /files lists what is on the disk: what --save kept, and FILE…; /files/NAME is one of them, or a
  part of it. DELETE removes one that --save closed, with --allow-delete and the token in a header.
  /recordings, /status, /metrics, /healthz and /readyz are for programs. ?history=none starts at
  now, ?history=newest-first (--newest-first: for all) gives what is live first, and history
  backwards, ?download=1 a file that ends at now. A viewer that falls behind skips what is no
  longer kept; --viewer-latency, or ?latency=2s for one, rather leaves out old images.
  Only this machine's pages may read, unless --allow-origin adds theirs, and only host names of
  loopback, the bound address and --allow-host are answered. --allow holds for viewers, too. With a
  token, they add ?token=TOKEN or the header Authorization: Bearer TOKEN.

Signals:
  SIGINT, SIGTERM and SIGHUP (the terminal or ssh session is closed) stop accepting, read what SDKs
  are still sending (until 100 ms without bytes, 1 s at most), finish the file and end. A second
  signal ends at once. SIGHUP does nothing if it was ignored at the start (nohup).

Exit codes:
  0    stopped by a signal, everything that was received was kept
  1    could not start (port taken, file exists, FILE is no recording), messages were lost, or not
       all files could be closed in 1.8 s: the log says which
  2    wrong arguments; nothing was touched
  130  ended at once by a second SIGINT; 143 by a second SIGTERM, 129 by a second SIGHUP

Configuration:
  Each option may also be a variable of the environment, --max-packet RERELAY_MAX_PACKET (a flag:
  true or false), or stand in the TOML file of --config or RERELAY_CONFIG: max-packet = "1GiB". The
  command line counts before the environment, and that before the file; --no-quiet takes back what
  one of these switched on. Secrets such as RERELAY_VIEWER_TOKEN are then in no list of processes.
  rerelay config --example prints a file with every option.

Environment:
  NO_COLOR              if not empty: no colours

Permissions for deno run:
  --allow-net, and with --save --allow-read and --allow-write for the file's folder;
  --allow-env=NO_COLOR,TERM,RERELAY_VIEWER_TOKEN, and the other RERELAY_… that are set, if it is to
  see those variables; with --config --allow-read for that file; with --serve-web --allow-read for
  Deno's cache, where the page's viewer is, and --allow-sys=systemMemoryInfo for a share of the
  memory; with --save --allow-sys=setPriority, to list chunks at the least priority; with
  --web-viewer --allow-run=xdg-open and --allow-env=DISPLAY,WAYLAND_DISPLAY; to see whether nohup
  started it, and to tell systemd that it is ready, --allow-all
`;
}

function section([title, options]: [string, readonly CliOption[]]): string {
  return `${title}:\n${options.map(optionLine).join("\n")}`;
}

/** Width of the left column, in characters: the longest option fits. */
const LEFT_COLUMNS = 36;

function optionLine(option: CliOption): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const left = `  ${short}--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`;
  const preset = option.default === undefined ? "" : ` [${option.default}]`;
  return `${left.padEnd(LEFT_COLUMNS)}${option.help}${preset}`;
}
