import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const inCi = (): boolean => !['', 'false'].includes(process.env.CI ?? '');

/**
 * Milliseconds after which a program under test counts as hanging. It is wall time, so it is long: the host may be loaded, or stopped altogether for minutes; no test is
 * about time, and one that waits for a program must not fail because the program waited for its turn. CI has its machine for itself, and no half hour to wait for what hangs.
 */
export const PATIENCE_MS = inCi() ? 600_000 : 1_800_000;

const announced = new Set<string>();

function present(tool: string): boolean {
  if (tool.includes('/')) return existsSync(tool);
  return (process.env.PATH ?? '').split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, tool)));
}

/**
 * Whether an outside judge is here, for `describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))`. Absent, it is said once with the Debian
 * package to install and the tests are skipped; under CI that is a failure instead, so that no judge is lost unnoticed.
 * @param tool a program looked up in PATH, or the absolute path of a file (firmware)
 */
export function requireTool(tool: string, debianPackage: string): boolean {
  if (present(tool)) return true;
  const need = `needs ${tool} (Debian package ${debianPackage})`;
  if (inCi()) throw new Error(`this test ${need}`);
  if (!announced.has(tool)) process.stderr.write(`skipped: ${need}\n`);
  announced.add(tool);
  return false;
}
