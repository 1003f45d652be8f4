export declare function parseArgs(args: string[], options?: unknown): { _: (string|number)[]; [k: string]: unknown };
