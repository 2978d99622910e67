import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Ends a benchmark with one sentence. */
function giveUp(sentence: string): never {
  console.error(`perf: ${sentence}`);
  process.exit(1);
}

/** Path of the built program beside this benchmark; benchmarks that start it must be built themselves: V8 is to see the same code in both. */
export function builtProgram(name: string): string {
  const main = new URL('../src/cli/main.js', import.meta.url).pathname;
  if (!existsSync(main)) giveUp(`run \`npm run build\`, then \`node dist/perf/${name}.js\``);
  return main;
}

/** A program or file that the benchmark needs, with the Debian package that has it. */
export function needs(what: string, debianPackage: string): void {
  const there = what.startsWith('/') ? existsSync(what) : spawnSync(what, ['-version'], { stdio: 'ignore' }).error === undefined;
  if (!there) giveUp(`${what} is not there; install ${debianPackage}`);
}
