export declare function parseArgs(
  args: string[],
  options?: {
    boolean?: readonly string[];
    string?: readonly string[];
    collect?: readonly string[];
    negatable?: readonly string[];
    alias?: Record<string, string>;
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  },
): { _: (string | number)[]; [key: string]: unknown };
