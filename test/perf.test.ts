// Oracle: manual (the head of each benchmark says how to run it)
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it.each(['memory-loop', 'interpreter-seabios'])('the benchmark %s says in one sentence that it must be built', (name) => {
  const root = new URL('..', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', `perf/${name}.ts`], { cwd: root, encoding: 'utf8' });
  expect([status, stdout, stderr]).toEqual([1, '', `perf: run \`npm run build\`, then \`node dist/perf/${name}.js\`\n`]);
});
