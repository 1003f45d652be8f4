/** Looks into TypeScript code, as far as tests about the project need it. */

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;

const RUNTIME_NAMES = new RegExp(
  [
    /["'`]node:/,
    /(?<![\w./])(?:Deno|Bun|process)\s*(?:\?\.|\.|\[|!)/,
    /\bglobalThis\s*(?:\?\.|\.)\s*(?:Deno|Bun|process)\b/,
    /\b(?:Buffer|setImmediate|__dirname|require)\s*[.(]/,
  ].map(({ source }) => source).join("|"),
);

/** The code without its comments; lines stay where they are, and so does what is in strings. */
export function withoutComments(code: string): string {
  return code.replace(
    TOKEN,
    (token) => token.startsWith("/") ? token.replace(/[^\n]/g, " ") : token,
  );
}

/** What a module imports or re-exports, statically and with `import()`. */
export function importsOf(code: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']/g;
  return [...withoutComments(code).matchAll(pattern)].map(([, specifier]) => specifier!);
}

/** What a module loads before it runs: no types, no `import()`. */
export function staticImportsOf(code: string): string[] {
  const pattern = /^(?:import|export)\s+(?!type\b)(?:[^"';()=]*?\bfrom\s*)?["']([^"']+)["']/gm;
  return [...withoutComments(code).matchAll(pattern)].map(([, specifier]) => specifier!);
}

/** Lines that name a runtime or what only one has, as `line: text`. */
export function runtimeNames(code: string): string[] {
  return withoutComments(code).split("\n")
    .flatMap((line, i) => RUNTIME_NAMES.test(line) ? [`${i + 1}: ${line.trim()}`] : []);
}
