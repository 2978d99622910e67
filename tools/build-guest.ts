/**
 * Assembles the guest code that is part of the program (needs nasm): each source into the TypeScript file beside it that holds its bytes.
 * With --check: fails when a file is not what its source gives.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;

interface GuestCode {
  readonly source: string;
  readonly target: string;
  readonly constant: string;
}

const GUEST_CODE: readonly GuestCode[] = [
  { source: 'src/cli/demo/guest.asm', target: 'src/cli/demo/guest-image.ts', constant: 'GUEST_IMAGE_BASE64' },
  { source: 'devices/firmware/linux-boot-rom.asm', target: 'devices/firmware/linux-boot-rom-image.ts', constant: 'LINUX_BOOT_ROM_BASE64' },
];

/** The text of the target. */
function assembled(code: GuestCode): string {
  const dir = mkdtempSync(join(tmpdir(), 'guest-'));
  try {
    const binary = join(dir, 'guest.bin');
    execFileSync('nasm', ['-f', 'bin', code.source, '-o', binary], { cwd: root });
    const lines =
      readFileSync(binary)
        .toString('base64')
        .match(/.{1,120}/g) ?? [];
    const body = lines.map((l) => `  '${l}',`).join('\n');
    return `/** ${basename(code.source)} assembled; made by tools/build-guest.ts, checked against the source by the tests. */\nexport const ${code.constant} = [\n${body}\n].join('');\n`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

for (const code of GUEST_CODE) {
  const text = assembled(code);
  const target = join(root, code.target);
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    console.error(`${code.target} is out of date: run npx tsx tools/build-guest.ts`);
    process.exit(1);
  }
}
