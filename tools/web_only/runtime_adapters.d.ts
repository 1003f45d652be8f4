// The runtimes' own adapters, so that the web-only check stops in front of them.
import type { FileAdapter } from "../../lib/adapters/files/types.ts";
import type { HttpAdapter } from "../../lib/adapters/http/types.ts";
import type { GrpcLink } from "../../lib/adapters/tcp/grpc_link.ts";
import type { TcpAdapter } from "../../lib/adapters/tcp/types.ts";

export declare const bunFiles: FileAdapter;
export declare const bunTcp: TcpAdapter;
export declare const denoFiles: FileAdapter;
export declare const denoTcp: TcpAdapter;
export declare const nodeHttp: HttpAdapter;
export declare function openFiles(): { readonly files: number };
export declare function openGrpcLink(
  hostname: string,
  port: number,
  timeoutMs: number,
): Promise<GrpcLink>;
export declare function lowerPriority(): void;
export declare function holdFile(path: string): Promise<(() => Promise<void>) | undefined>;
export declare function isFileHeld(path: string): Promise<boolean | undefined>;
export declare function askUnsentBytes(): (addr: string) => Promise<number | undefined>;
