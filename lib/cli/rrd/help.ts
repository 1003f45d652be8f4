/** The text of `rrd --help`, ends with a line feed. */
export const RRD_HELP = `rerelay rrd: look into recordings, repair and send them

Usage: rerelay rrd COMMAND [OPTIONS] [FILE...]

Commands:
  stats FILE... [-v]          recordings, messages, entities, timelines, bytes; -v all entities
  print FILE... [-v]          one line a message; -v also its timelines and full names
  verify FILE|FOLDER...       decode everything, Arrow data too; exit 1 with the byte offset of the
                              first bad message; of a folder all files in it, and totals
  compare FILE FILE           whether both hold the same values at the same times, in any encoding,
                              order and chunking; exit 1 with the first differences
  index FILE...               end files of SDK 0.24 and later with a list of their chunks, or renew
                              it: Rerun then loads what is looked at; written anew, then renamed
  recover FILE -o OUT         write all that is whole, before, between and behind damage;
                              --dry-run only says what that is
  merge FILE... -o OUT        several files into one, their common blueprints once; without -o to
                              standard output
  migrate FILE... -o OUT      as merge, in the form of today's Rerun, which can't open what SDKs up
                              to 0.22 log: of SDK 0.17 and later, all that was logged kept as it is
  filter FILE... -o OUT       leave out whole chunks, by entity, recording, application or time, and
                              timelines of all
  route FILE... -o OUT        as they are, but of another recording or application
  split FILE [-o FOLDER]      one file for each recording (.rrd), with the blueprints of its
                              application; those of no recording into files of their own (.rbl);
                              FOLDER must be there
  replay FILE... [--to HOST:PORT] [--to rerun+http://HOST:PORT/proxy] [--speed max|1x]
                              send files to a server: by TCP as SDKs up to 0.22, or by gRPC as
                              those since. With both, each file goes to the one of its kind; with
                              the second alone, what SDK 0.17 to 0.22 logged goes in today's form
                              [127.0.0.1:9876] [max]

Options:
  --json                      results as JSON (print: one object a line)
  -o, --output PATH           where to write; - is standard output
  -f, --force                 replace what exists there, but never the input
  --continue-on-error         print, merge, migrate, filter, route, split, replay: read over damage,
                              as recover does
  --strict                    all but recover: exit 1 also where an end marker is missing, which
                              Rerun writes since 0.19: the file was cut between two messages, or
                              its writer was stopped
  --dry-run                   recover: say what would be written and what is lost, write nothing
  --ignore-timeline NAME      compare: leave out this timeline; may be given several times
  --drop-entity PATH          filter: leave out this entity; may be given several times
  --drop-timeline NAME        filter: leave out this timeline; chunks that have no other are static
                              then, as by rerun's own. Not of msgpack; may be given several times
  --recording-id ID           filter: of recordings only this; blueprints stay. route: the new id
  --application-id ID         filter: only recordings and blueprints of this application. route: the
                              new one
  --time-range NAME=FROM..TO  filter: of chunks with this timeline only those with a row between, in
                              numbers or nanoseconds; either may be left out; several times
  --max-gap TIME              replay: wait at most so long in the log between two messages; what is
                              more is a jump of the clock, and skipped [10s]
  --timeout TIME              replay: how long to try to connect, and then to wait while the server
                              takes nothing [10s]
  --max-message SIZE          limit of a message [512MiB; recover: the length of the file]
  -h, --help                  print this text

Output files are called OUT.NUMBER.part until they are whole, and OUT.lock keeps others out; none
is left of a command that fails.

FILE is a .rrd or .rbl file of Rerun 0.9 or later; - or none at all is standard input.

Exit codes:
  0  done
  1  bad data, a file or server that does not work, or files that differ
  2  wrong arguments; nothing was touched
  129, 130, 141, 143  ended by SIGHUP, SIGINT, the reader of standard output, SIGTERM

Recovering can't see flipped bytes inside data that still decodes: RRD has no checksums.
`;
