/**
 * What would fail in workflows, compose files and Dockerfiles, as far as their texts show it: nothing
 * of it is run.
 */

/**
 * What is wrong with a workflow of GitHub's.
 *
 * @param {unknown} workflow as its YAML says
 * @param {{ scripts: readonly string[], targets: readonly string[], files: ReadonlySet<string> }} known
 * commands of package.json, what executables are made for, and the files of the project
 * @returns {string[]}
 */
export function workflowProblems(workflow, { scripts, targets, files }) {
  if (!isRecord(workflow)) return ["this is no workflow"];
  const problems = [];
  if (!("on" in workflow) && !("true" in workflow)) problems.push("nothing starts it (on)");
  const jobs = isRecord(workflow.jobs) ? workflow.jobs : {};
  if (Object.keys(jobs).length === 0) problems.push("it has no jobs");
  for (const [id, job] of Object.entries(jobs)) {
    const wrong = (text) => problems.push(`job ${id}: ${text}`);
    if (!isRecord(job)) {
      wrong("this is no job");
      continue;
    }
    if (!("runs-on" in job) && !("uses" in job)) wrong("it says not what it runs on");
    if (!("timeout-minutes" in job)) wrong("without timeout-minutes it may hang for six hours");
    for (const needed of [job.needs ?? []].flat()) {
      if (!(needed in jobs)) wrong(`it needs ${needed}, and there is no such job`);
    }
    for (const step of Array.isArray(job.steps) ? job.steps : []) {
      if (!isRecord(step)) wrong("a step is no step");
      else if ("uses" in step) {
        if (!/^[\w.-]+\/[\w./-]+@[\w.-]+$/.test(step.uses)) wrong(`${step.uses} names no version`);
      } else if (typeof step.run !== "string") wrong("a step neither uses nor runs anything");
      else for (const problem of commandProblems(step.run, scripts, targets, files)) wrong(problem);
    }
  }
  return problems;
}

function commandProblems(command, scripts, targets, files) {
  const named = [...command.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name]) => name);
  if (/\bnpm test\b/.test(command)) named.push("test");
  const problems = named.filter((name) => !scripts.includes(name))
    .map((name) => `there is no npm run ${name}`);
  const [, built] = /\bnpm run build -- ([^\n&|;]+)/.exec(command) ?? [];
  for (const target of built?.trim().split(/\s+/) ?? []) {
    if (!targets.includes(target)) problems.push(`nothing is built for ${target}`);
  }
  for (const [, path] of command.matchAll(/(?:^|\s)((?:\.ci|tools|tests|deploy)\/[\w./-]+)/g)) {
    if (!files.has(path)) problems.push(`there is no ${path}`);
  }
  return problems;
}

/**
 * What is wrong with a compose file.
 *
 * @param {unknown} compose as its YAML says
 * @param {string} path where it lies
 * @param {ReadonlySet<string>} files of the project
 * @returns {string[]}
 */
export function composeProblems(compose, path, files) {
  if (!isRecord(compose) || !isRecord(compose.services)) return ["it has no services"];
  const problems = [];
  const volumes = isRecord(compose.volumes) ? Object.keys(compose.volumes) : [];
  for (const [name, service] of Object.entries(compose.services)) {
    const wrong = (text) => problems.push(`service ${name}: ${text}`);
    if (!isRecord(service) || !("image" in service || "build" in service)) {
      wrong("it has neither image nor build");
      continue;
    }
    if (isRecord(service.build)) {
      const { context = ".", dockerfile = "Dockerfile" } = service.build;
      const folder = new URL(context, `file:///${path}`).pathname.replace(/\/?$/, "/");
      const file = new URL(dockerfile, `file://${folder}`).pathname.slice(1);
      if (!files.has(file)) wrong(`there is no ${file}`);
    }
    for (const volume of service.volumes ?? []) {
      const [source] = String(volume).split(":");
      if (/^\w/.test(source) && !volumes.includes(source)) wrong(`no volume is called ${source}`);
    }
    for (const port of service.ports ?? []) {
      if (!/^(?:[\d.]+:)?\d+:\d+(?:\/(?:tcp|udp))?$/.test(String(port))) {
        wrong(`${port} is no port`);
      }
    }
  }
  return problems;
}

/**
 * What is wrong with a Dockerfile that is built from the project's root.
 *
 * @param {string} text
 * @param {{ bun: string, files: ReadonlySet<string> }} known the version of Bun that is tested, and the
 * files of the project
 * @returns {string[]}
 */
export function dockerfileProblems(text, { bun, files }) {
  const problems = [];
  const stages = [...text.matchAll(/^FROM \S+ AS (\S+)/gmi)].map(([, name]) => name);
  for (const [, image] of text.matchAll(/^FROM (\S+)/gm)) {
    if (!/[:@]/.test(image)) problems.push(`${image} names no version`);
    const version = /^oven\/bun:(.*)$/.exec(image)?.[1];
    if (version !== undefined && version !== bun) {
      problems.push(`it builds with Bun ${version}, and ${bun} is tested`);
    }
  }
  for (const [, line] of text.matchAll(/^COPY (.+)$/gm)) {
    const words = line.split(/\s+/);
    const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
    if (from !== undefined) {
      if (!stages.includes(from)) problems.push(`no stage is called ${from}`);
      continue;
    }
    const sources = words.filter((word) => !word.startsWith("--")).slice(0, -1);
    for (const source of sources) {
      const isThere = source === "." || files.has(source) ||
        [...files].some((path) => path.startsWith(`${source.replace(/\/$/, "")}/`));
      if (!isThere) problems.push(`there is no ${source} to copy`);
    }
  }
  return problems;
}

function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
