/** Fails on an import that goes up the layers, and on host time, randomness and node modules where only Clock and Nondet may speak to the outside. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const ROOT = new URL('..', import.meta.url).pathname;

/** Folder prefix → what it may import besides itself. The first matching prefix counts. */
const LAYERS: readonly (readonly [string, readonly string[]])[] = [
  ['src/core/', []],
  ['src/memory/', ['src/core/']],
  ['src/block/', ['src/core/']],
  ['src/net/', ['src/core/']],
  ['jit/', ['src/core/', 'src/memory/']],
  ['devices/', ['src/core/', 'src/memory/', 'src/block/']],
  ['replay/', ['src/core/', 'src/block/']],
  ['src/machine/', ['src/core/', 'src/memory/', 'src/block/', 'src/net/', 'jit/', 'devices/', 'replay/']],
  ['src/profile/', ['src/core/', 'src/memory/', 'src/machine/', 'jit/', 'devices/', 'replay/']],
  ['src/debug/', ['src/core/', 'src/memory/', 'src/machine/', 'jit/', 'devices/', 'replay/']],
  ['src/gdb/', ['src/core/', 'src/debug/']],
  ['src/monitor/', ['src/core/', 'src/debug/', 'src/machine/', 'replay/']],
  ['src/verify/', ['src/core/', 'src/memory/', 'src/machine/', 'jit/', 'devices/', 'replay/']],
  ['src/cli/', ['src/', 'jit/', 'devices/', 'replay/']],
  ['test/', ['']],
  ['perf/', ['']],
  ['tools/', ['']],
];

/** Nothing is imported from these. */
const LEAVES = ['test/', 'perf/', 'tools/'];

/** Where the two doors are the only way to the outside; `allowed` modules are pure. */
const SEALED = ['src/core/', 'src/memory/', 'src/net/', 'jit/', 'devices/'];
/** The host's sockets, behind an interface. */
const DOORS = ['src/net/node-sockets.ts'];
const PURE_MODULES = ['node:crypto', 'node:module'];
const BANNED = /\b(Date\.(now|parse|UTC)|new Date\b|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|process\.hrtime)\b/;
/** Measures how long translation takes, for the statistics only. */
const TIME_ALLOWED = ['jit/core/statistics.ts'];

function sources(dir: string): string[] {
  return readdirSync(join(ROOT, dir), { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && /\.c?ts$/.test(e.name))
    .map((e) => relative(ROOT, join(e.parentPath, e.name)));
}

function problems(file: string): string[] {
  const found: string[] = [];
  const text = readFileSync(join(ROOT, file), 'utf8');
  const layer = LAYERS.find(([prefix]) => file.startsWith(prefix));
  const sealed = SEALED.some((s) => file.startsWith(s)) && !DOORS.includes(file);
  for (const [, target] of text.matchAll(/\bfrom\s+'([^']+)'|\bimport\('([^']+)'\)/g)) {
    if (target === undefined) continue;
    if (!target.startsWith('.')) {
      if (sealed && target.startsWith('node:') && !PURE_MODULES.includes(target))
        found.push(`${file}: imports ${target}; only Clock and Nondet reach the host`);
      continue;
    }
    const to = normalize(join(dirname(file), target));
    const own = layer?.[0] ?? '';
    if (LEAVES.some((l) => to.startsWith(l) && !file.startsWith(l) && !LEAVES.some((own) => file.startsWith(own))))
      found.push(`${file}: imports ${to}, which nobody may import`);
    else if (layer === undefined) found.push(`${file}: belongs to no layer`);
    else if (!to.startsWith(own) && !layer[1].some((l) => to.startsWith(l)))
      found.push(`${file}: imports ${to}, which is not below ${own}`);
  }
  if (sealed && !TIME_ALLOWED.includes(file)) {
    text.split('\n').forEach((line, n) => {
      const code = line.replace(/\/\/.*|^\s*\*.*|\/\*.*?\*\//g, '');
      if (BANNED.test(code)) found.push(`${file}:${n + 1}: host time or randomness`);
    });
  }
  return found;
}

const all = ['src', 'jit', 'devices', 'replay', 'test', 'perf', 'tools'].flatMap(sources);
const failures = all.flatMap(problems);
for (const f of failures) console.error(f);
if (failures.length > 0) process.exit(1);
console.log(`layers: ${all.length} files import downwards only`);
