/**
 * Makes what the tests keep of a judge guest: assembles test/x86/qemu/NAME.asm, runs it in QEMU and keeps the ROM, QEMU's log and the bytes
 * written to port 0xe9, all packed.
 *   npx tsx tools/record-judge.ts NAME [qemu32|max]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const [name, cpu = 'qemu32'] = process.argv.slice(2);
if (name === undefined) throw new Error('which guest?');
const folder = new URL('../test/x86/qemu/', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'judge-'));
const [rom, log, output] = ['rom', 'rr', 'output'].map((file) => join(dir, file)) as [string, string, string];
execFileSync('nasm', ['-f', 'bin', `-I${folder}`, join(folder, `${name}.asm`), '-o', rom]);
const machine = ['-M', 'pc', '-cpu', cpu, '-m', '16', '-display', 'none', '-net', 'none', '-nodefaults', '-global', 'apic.vapic=off'];
const files = ['-bios', rom, '-debugcon', `file:${output}`, '-icount', `shift=7,rr=record,rrfile=${log}`];
execFileSync('qemu-system-i386', [...machine, ...files, '-no-reboot'], { timeout: 20_000, stdio: 'inherit' });
const keep = (file: string, bytes: Buffer): void => writeFileSync(join(folder, file), gzipSync(bytes, { level: 9 }));
keep(`${name}.rom.gz`, readFileSync(rom));
keep(`${name}-${cpu}.rr.gz`, readFileSync(log));
keep(`${name}-${cpu}.output.gz`, readFileSync(output));
console.log(`${name}: ${readFileSync(output).length} bytes of output, ${readFileSync(log).length} of log`);
rmSync(dir, { recursive: true });
