/** Assembles the demo guest (needs nasm) into src/cli/demo/guest-image.ts. With --check: fails when the file is not what the source gives. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('../src/cli/demo/', import.meta.url).pathname;
const target = join(here, 'guest-image.ts');

/** The text of guest-image.ts for the source beside it. */
export function guestModule(): string {
  const dir = mkdtempSync(join(tmpdir(), 'guest-'));
  try {
    const binary = join(dir, 'guest.bin');
    execFileSync('nasm', ['-f', 'bin', join(here, 'guest.asm'), '-o', binary]);
    const lines =
      readFileSync(binary)
        .toString('base64')
        .match(/.{1,120}/g) ?? [];
    const body = lines.map((l) => `  '${l}',`).join('\n');
    return `/** guest.asm assembled; made by tools/build-guest.ts, checked against the source by the tests. */\nexport const GUEST_IMAGE_BASE64 = [\n${body}\n].join('');\n`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = guestModule();
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    console.error('src/cli/demo/guest-image.ts is out of date: run npx tsx tools/build-guest.ts');
    process.exit(1);
  }
}
