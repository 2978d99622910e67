import type { CommandLine } from '../command-line.js';
import { disassembledLine } from '../disassemble.js';
import { CommandError, type MachineControl } from '../machine-control.js';
import { character, type DumpFormat, dumpLine, lineBytes } from '../memory-text.js';
import { registerLines } from '../register-text.js';
import { type CommandGroup, lines } from './command.js';

const MAX_INSTRUCTION_BYTES = 15;
const CS_BIG = 1 << 22;

type Space = 'virtual' | 'physical';

/** Registers, memory, and expressions. */
export function memoryCommands(control: MachineControl): CommandGroup {
  // What a format leaves out is as in the one before.
  const format: Pick<DumpFormat, 'format' | 'size'> = { format: 'x', size: 4 };
  const dumps =
    (space: Space) =>
    async (line: CommandLine): Promise<string> => {
      const wanted = line.format(format);
      const address = line.expression(await control.machine.call('registers', {}));
      line.end();
      return wanted.format === 'i' ? listing(control, space, address, wanted.count) : dump(control, space, address, wanted);
    };
  return {
    commands: [
      { names: 'x', parameters: '/fmt addr', help: "virtual memory dump starting at 'addr'", run: dumps('virtual') },
      { names: 'xp', parameters: '/fmt addr', help: "physical memory dump starting at 'addr'", run: dumps('physical') },
      {
        names: 'print|p',
        parameters: '/fmt expr',
        help: 'print expression value (use $reg for CPU register access)',
        run: async (line) => {
          const wanted = line.format(format);
          const value = line.expression(await control.machine.call('registers', {}));
          line.end();
          return `${printed(value, wanted.format)}\n`;
        },
      },
    ],
    infos: [
      {
        names: 'registers',
        parameters: '[-a|vcpu]',
        help: "show the cpu registers (-a: show register info for all cpus; vcpu: specific vCPU to query; show the current CPU's registers if no argument is specified)",
        run: async (line) => {
          const all = line.flag('a');
          const registers = await control.machine.call('registers', {});
          const vcpu = line.ended ? 0 : line.integer(registers);
          line.end();
          if (!all && vcpu !== 0) throw new CommandError(`CPU#${vcpu} not available`);
          return lines(registerLines(registers));
        },
      },
    ],
  };
}

function printed(value: bigint, format: DumpFormat['format']): string {
  const unsigned = BigInt.asUintN(64, value);
  switch (format) {
    case 'o':
      return unsigned === 0n ? '0' : `0${unsigned.toString(8)}`;
    case 'x':
      return unsigned === 0n ? '0' : `0x${unsigned.toString(16)}`;
    case 'u':
      return String(unsigned);
    case 'c':
      return character(Number(BigInt.asUintN(32, value)));
    default:
      return String(value);
  }
}

async function dump({ machine }: MachineControl, space: Space, from: bigint, wanted: DumpFormat): Promise<string> {
  const text: string[] = [];
  const digits = space === 'physical' ? 16 : 8;
  const total = wanted.count * (wanted.format === 'c' ? 1 : wanted.size);
  for (let at = 0; at < total; at += lineBytes(wanted)) {
    const here = BigInt.asUintN(space === 'physical' ? 64 : 32, from + BigInt(at));
    const lengthBytes = Math.min(lineBytes(wanted), total - at);
    const address = Number(here);
    const bytes = address + lengthBytes > 2 ** 32 ? null : await machine.call('readMemory', { space, address, lengthBytes });
    text.push(dumpLine(here, bytes, wanted, digits));
    if (bytes === null) break;
  }
  return lines(text);
}

async function listing({ machine }: MachineControl, space: Space, from: bigint, count: number): Promise<string> {
  const registers = await machine.call('registers', {});
  const bits = (registers.segments[1]!.attributes & CS_BIG) !== 0 ? 32 : 16;
  const text: string[] = [];
  let here = Number(BigInt.asUintN(32, from));
  for (let n = 0; n < count; n++) {
    const lengthBytes = Math.min(MAX_INSTRUCTION_BYTES, 2 ** 32 - here);
    const bytes = await machine.call('readMemory', { space, address: here, lengthBytes });
    const line = bytes === null ? null : disassembledLine(bytes, here, bits);
    text.push(line === null ? `0x${here.toString(16).padStart(8, '0')}: unable to read memory` : line.text);
    if (line === null) break;
    here = (here + line.lengthBytes) >>> 0;
  }
  return lines(text);
}
