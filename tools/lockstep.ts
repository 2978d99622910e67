/**
 * Runs QEMU and our interpreter on the same guest, instruction by instruction, and names the first one after which registers, flags, segments or
 * control registers differ, and the first byte of memory, compared at some places on the way. QEMU records the guest first; both then replay that log, so timing cannot make a difference.
 *   npx tsx tools/lockstep.ts BIOS [--cpu qemu32|max] [--memory MIB] [--shift N] [--seconds N] [--limit INSTRUCTIONS] [--acpi] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { lockstep } from './lockstep/lockstep.js';
import { recordWithQemu } from './lockstep/qemu.js';

const args = await yargs(hideBin(process.argv))
  .command('$0 <bios>', 'compare with QEMU instruction by instruction')
  .positional('bios', { type: 'string', demandOption: true })
  .option('cpu', { choices: ['qemu32', 'max'] as const, default: 'qemu32' as const })
  .option('memory', { type: 'number', default: 16 })
  .option('shift', { type: 'number', default: 7 })
  .option('seconds', { type: 'number', default: 5 })
  .option('limit', { type: 'number', default: 5_000_000 })
  .option('acpi', { type: 'boolean', default: false })
  .option('json', { type: 'boolean', default: false })
  .parseAsync();

const dir = mkdtempSync(join(tmpdir(), 'lockstep-'));
try {
  const guest = { bios: args.bios, cpu: args.cpu, memoryMiB: args.memory, shift: args.shift, acpi: args.acpi };
  const log = await recordWithQemu(dir, guest, args.seconds);
  const result = await lockstep(dir, guest, log, args.limit);
  const { compared, memoryPoints, difference } = result;
  const done = `${compared} instructions and all memory at ${memoryPoints} places compared`;
  console.log(args.json ? JSON.stringify(result) : `${done}, ${difference === null ? 'no difference' : `first difference ${difference}`}`);
  process.exitCode = difference === null ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true });
}
