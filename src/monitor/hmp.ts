// Longer than most: one table of commands, and what they say.

import { writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import type { HostRequest } from '../../replay/host.js';
import { reason } from '../../replay/log/input.js';
import { disassemble } from './disassemble.js';
import { evaluate } from './expression.js';
import { changeButtons, moveMouse, pressKeys } from './key-events.js';
import { CommandError, type MachineControl } from './machine-control.js';
import { type DumpFormat, dumpLine, lineBytes, parseDumpFormat } from './memory-text.js';
import { registerLines } from './register-text.js';

/** Longest command line that is taken. */
export const MAX_LINE_BYTES = 4096;
const MAX_INSTRUCTION_BYTES = 15;
const CS_BIG = 1 << 22;

interface Command {
  readonly names: readonly string[];
  readonly parameters: string;
  readonly help: string;
  readonly run: (rest: string) => Promise<string> | string;
}

/** QEMU's human monitor: a line in, text out. */
export class HumanMonitor {
  private readonly control: MachineControl;
  private readonly quit: () => void;
  private readonly commands: readonly Command[];
  private readonly infos: readonly Command[];
  private buttons = 0;

  /** @param quit ends the program */
  constructor(control: MachineControl, quit: () => void) {
    this.control = control;
    this.quit = quit;
    this.infos = [
      this.command('registers', '[-a]', 'show the cpu registers', async () =>
        lines(registerLines(await control.machine.call('registers', {}))),
      ),
      this.command('replay', '', 'show record/replay information', () => this.infoReplay()),
      this.command('status', '', 'show the current VM status (running|paused)', () => this.infoStatus()),
      this.command('version', '', 'show the version of QEMU that is spoken here', () => '7.2.22 (palindrome)\n'),
    ];
    this.commands = [
      this.command('cont|c', '', 'resume emulation', () => this.quietly(control.cont())),
      this.command('help|?', '[cmd]', 'show the help', (rest) => this.help(rest)),
      this.command('info', '[subcommand]', 'show various information about the system state', (rest) => this.info(rest)),
      this.command('mouse_button', 'state', 'change mouse button state (1=L, 2=R, 4=M)', (rest) => this.mouseButton(rest)),
      this.command('mouse_move', 'dx dy [dz]', 'send mouse move events', (rest) => this.mouseMove(rest)),
      this.command('print|p', 'expr', 'print expression value (use $reg for CPU register access)', (rest) => this.print(rest)),
      this.command('quit|q', '', 'quit the emulator', () => {
        this.quit();
        return '';
      }),
      this.command(
        'replay_break',
        'icount...',
        'set breakpoints at the specified instruction counts, in place of those that were',
        (rest) => this.quietly(this.breaks(rest)),
      ),
      this.command('replay_delete_break', '', 'remove replay breakpoints', () => this.quietly(control.replayDeleteBreak())),
      this.command('replay_seek', 'icount', 'replay execution to the specified instruction count', (rest) =>
        this.quietly(this.icount(rest).then((n) => control.replaySeek(n))),
      ),
      this.command('reverse_step', '', 'go back by one instruction or interrupt', () =>
        this.quietly(control.move({ kind: 'reverse-step' })),
      ),
      this.command('screendump', 'filename', 'save screen into PNG image (PPM when the name ends so)', (rest) => this.screendump(rest)),
      this.command('sendkey', 'keys', "send keys to the VM (e.g. 'sendkey ctrl-alt-f1')", (rest) => this.sendKey(rest)),
      this.command('step', '', 'execute one instruction or take one interrupt', () => this.quietly(control.move({ kind: 'step' }))),
      this.command('stop|s', '', 'stop emulation', () => this.quietly(control.stop())),
      this.command('when', '', 'show the instruction count, and nothing else', async () => `${(await control.status()).position.icount}\n`),
      this.command('x', '/fmt addr', "virtual memory dump starting at 'addr'", (rest) => this.dump('virtual', rest)),
      this.command('xp', '/fmt addr', "physical memory dump starting at 'addr'", (rest) => this.dump('physical', rest)),
    ];
  }

  /** Executes a line; gives what it says, every line ended. Never fails. */
  async execute(line: string): Promise<string> {
    const match = /^\s*(\S*)\s*([\s\S]*?)\s*$/.exec(line.slice(0, MAX_LINE_BYTES))!;
    const [, word, rest] = match as unknown as [string, string, string];
    if (word === '') return '';
    // As in QEMU, a format may follow its command without a blank.
    const slash = word.indexOf('/');
    const name = slash > 0 ? word.slice(0, slash) : word;
    const command = find(this.commands, name);
    if (command === null) return `unknown command: '${name}'\n`;
    return this.run(command, slash > 0 ? `${word.slice(slash)} ${rest}` : rest);
  }

  private async run(command: Command, rest: string): Promise<string> {
    try {
      return await command.run(rest);
    } catch (e) {
      return `${(e as Error).message}\n`;
    }
  }

  private command(names: string, parameters: string, help: string, run: Command['run']): Command {
    return { names: names.split('|'), parameters, help, run };
  }

  private async quietly(done: Promise<void>): Promise<string> {
    await done;
    return '';
  }

  private help(rest: string): string {
    const sections: (readonly [string, readonly Command[]])[] = [
      ['', this.commands],
      ['info ', this.infos],
    ];
    const wanted = rest.replace(/^info\s+/, '');
    const shown = rest === '' ? this.commands : rest === 'info' ? this.infos : null;
    return sections
      .flatMap(([prefix, commands]) =>
        commands
          .filter((c) => (shown === null ? c.names.includes(wanted) && (prefix !== '') === (wanted !== rest) : shown === commands))
          .map((c) => `${prefix}${c.names.join('|')} ${c.parameters} -- ${c.help}\n`.replace(/ {2,}/, ' ')),
      )
      .join('');
  }

  private info(rest: string): Promise<string> | string {
    if (rest === '') return this.help('info');
    const word = rest.split(/\s+/)[0]!;
    const command = find(this.infos, word);
    return command === null ? `unknown command: 'info ${word}'\n` : this.run(command, rest.slice(word.length).trim());
  }

  private async infoReplay(): Promise<string> {
    const { mode, filename, position } = await this.control.status();
    if (mode === 'none') return 'Record/replay is not active\n';
    return `${mode === 'record' ? 'Recording' : 'Replaying'} execution '${filename}': instruction count = ${position.icount}\n`;
  }

  private async infoStatus(): Promise<string> {
    const state = await this.control.runState();
    if (state === 'running') return 'VM status: running\n';
    return `VM status: paused${state === 'paused' ? '' : ` (${state})`}\n`;
  }

  private async icount(text: string): Promise<number> {
    const value = evaluate64(text);
    if (value === null) throw new CommandError(text === '' ? 'icount: missing parameter' : `invalid instruction count '${text}'`);
    return value;
  }

  private async breaks(rest: string): Promise<void> {
    const icounts = await Promise.all(rest.split(/\s+/).map((text) => this.icount(text)));
    return this.control.replayBreak(icounts);
  }

  private async print(rest: string): Promise<string> {
    const [, format, expression] = /^(?:(\/\S*)\s+)?([\s\S]*)$/.exec(rest)!;
    const fmt = format === undefined ? ({ count: 1, format: 'd', size: 4 } as DumpFormat) : parseDumpFormat(format);
    if (fmt === null) throw new CommandError(`invalid char in format: '${format}'`);
    const value = await this.value(expression!);
    switch (fmt.format) {
      case 'x':
        return `${value === 0 ? '0' : `0x${value.toString(16)}`}\n`;
      case 'o':
        return `${value === 0 ? '0' : `0${value.toString(8)}`}\n`;
      case 'u':
        return `${value}\n`;
      default:
        return `${value | 0}\n`;
    }
  }

  private async value(expression: string): Promise<number> {
    const value = evaluate(expression, await this.control.machine.call('registers', {}));
    if (typeof value === 'string') throw new CommandError(value);
    return value;
  }

  private async dump(space: 'virtual' | 'physical', rest: string): Promise<string> {
    const [, format, expression] = /^(?:(\/\S*)\s+)?([\s\S]*)$/.exec(rest)!;
    const fmt = parseDumpFormat(format ?? '/1xw');
    if (fmt === null) throw new CommandError(`invalid char in format: '${format}'`);
    const address = await this.value(expression!);
    return fmt.format === 'i' ? this.disassemble(space, address, fmt.count) : this.dumpMemory(space, address, fmt);
  }

  private async dumpMemory(space: 'virtual' | 'physical', address: number, fmt: DumpFormat): Promise<string> {
    const { machine } = this.control;
    const digits = space === 'physical' ? 16 : 8;
    const total = fmt.count * (fmt.format === 'c' ? 1 : fmt.size);
    const text: string[] = [];
    for (let at = 0; at < total; ) {
      const lengthBytes = Math.min(lineBytes(fmt), total - at);
      const here = (address + at) >>> 0;
      const bytes = await machine.call('readMemory', { space, address: here, lengthBytes });
      text.push(dumpLine(here, bytes, fmt, digits));
      if (bytes === null) break;
      at += lengthBytes;
    }
    return lines(text);
  }

  private async disassemble(space: 'virtual' | 'physical', address: number, count: number): Promise<string> {
    const { machine } = this.control;
    const registers = await machine.call('registers', {});
    const bits = (registers.segments[1]!.attributes & CS_BIG) !== 0 ? 32 : 16;
    const text: string[] = [];
    for (let n = 0, here = address; n < count; n++) {
      const bytes = await machine.call('readMemory', { space, address: here, lengthBytes: MAX_INSTRUCTION_BYTES });
      const [line] = bytes === null ? [] : disassemble(bytes, here, bits, 1);
      text.push(line === undefined ? `0x${here.toString(16).padStart(8, '0')}:  Cannot access memory` : line.text);
      if (line === undefined) break;
      here = (here + line.lengthBytes) >>> 0;
    }
    return lines(text);
  }

  private async send(requests: readonly HostRequest[]): Promise<string> {
    if (!(await this.control.machine.call('input', { requests }))) throw new CommandError('a replay takes no input');
    return '';
  }

  private sendKey(rest: string): Promise<string> {
    const keys = pressKeys(rest.split(/\s+/)[0]!.split('-'));
    if (!Array.isArray(keys)) throw new CommandError(`invalid parameter: ${keys.unknown}`);
    return this.send(keys);
  }

  private mouseMove(rest: string): Promise<string> {
    const [dx, dy, dz] = rest.split(/\s+/).map(Number);
    if (!Number.isSafeInteger(dx) || !Number.isSafeInteger(dy)) throw new CommandError('mouse_move: expected dx dy [dz]');
    return this.send(moveMouse(dx!, dy!, Number.isSafeInteger(dz) ? dz! : 0));
  }

  private async mouseButton(rest: string): Promise<string> {
    const to = Number(rest);
    if (rest === '' || !Number.isInteger(to)) throw new CommandError('mouse_button: expected a number');
    await this.send(changeButtons(this.buttons, to));
    this.buttons = to;
    return '';
  }

  private async screendump(path: string): Promise<string> {
    if (path === '') throw new CommandError('filename: missing parameter');
    const screen = await this.control.machine.call('screen', {});
    if (screen === null) throw new CommandError('There is no console to take a screendump from.');
    const { width, height, rgba } = screen;
    const png = new PNG({ width, height });
    png.data = Buffer.from(rgba);
    try {
      writeFileSync(path, path.endsWith('.ppm') ? ppm(width, height, rgba) : PNG.sync.write(png));
    } catch (e) {
      throw new CommandError(`failed to open file '${path}': ${reason(e)}`);
    }
    return '';
  }
}

function ppm(width: number, height: number, rgba: Uint8Array): Buffer {
  const rgb = Buffer.alloc(width * height * 3);
  for (let k = 0; k < width * height; k++) rgb.set(rgba.subarray(4 * k, 4 * k + 3), 3 * k);
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]);
}

function find(commands: readonly Command[], name: string): Command | null {
  return commands.find((c) => c.names.includes(name)) ?? null;
}

function lines(text: readonly string[]): string {
  return text.map((line) => `${line}\n`).join('');
}

/** An instruction count: decimal or hexadecimal, commas and underscores allowed. */
function evaluate64(text: string): number | null {
  const plain = text.replaceAll(/[,_]/g, '');
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(plain) ? Number(plain) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}
