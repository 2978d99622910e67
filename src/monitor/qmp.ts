// Longer than most: one table of commands.

import type { StopCause } from '../core/debug-target.js';
import { charDeviceInfo, MICE } from './char-devices.js';
import { blockInfo } from './drive-text.js';
import type { HumanMonitor } from './hmp.js';
import { JsonSplitter } from './json-splitter.js';
import { pressKeys } from './key-events.js';
import type { MachineControl } from './machine-control.js';
import { QmpArguments, QmpError } from './qmp-arguments.js';
import { plain, type QmpCommand } from './qmp-command.js';
import { inputEvents, keyNames } from './qmp-input.js';
import { snapshotCommands } from './qmp-snapshots.js';
import { writeScreen } from './screen-file.js';

/** What a QMP session needs besides the machine. */
export interface QmpSurroundings {
  send(line: string): void;
  /** Milliseconds since 1970, for the time stamps of events. */
  now(): number;
}

const VERSION = { qemu: { micro: 22, minor: 2, major: 7 }, package: 'palindrome' };
const MEMBERS = ['execute', 'arguments', 'id'];
const MAX_CAPABILITIES = 16;
const CPU = {
  'thread-id': 1,
  props: { 'core-id': 0, 'thread-id': 0, 'socket-id': 0 },
  'qom-path': '/machine/unattached/device[0]',
  'cpu-index': 0,
  target: 'i386',
};

/** QEMU's machine protocol on one line: JSON in, JSON out. One command is worked on at a time. */
export class QmpSession {
  private readonly control: MachineControl;
  private readonly human: HumanMonitor;
  private readonly around: QmpSurroundings;
  private readonly splitter = new JsonSplitter();
  private readonly commands: Readonly<Record<string, QmpCommand>>;
  private readonly unobserve: readonly (() => void)[];
  private negotiated = false;
  private queue: Promise<void> = Promise.resolve();
  private waiting = 0;

  constructor(control: MachineControl, human: HumanMonitor, around: QmpSurroundings) {
    this.control = control;
    this.human = human;
    this.around = around;
    this.commands = this.table();
    this.unobserve = [
      control.machine.observe({
        resumed: () => this.event('RESUME'),
        stopped: (cause) => this.stopped(cause),
        reset: (guest) => this.event('RESET', { guest, reason: guest ? 'guest-reset' : 'host-qmp-system-reset' }),
      }),
      control.jobs.onChange(({ status, id }) => this.event('JOB_STATUS_CHANGE', { status, id })),
      control.onPowerDown(() => this.event('POWERDOWN')),
      control.onShutdown((reason) => this.event('SHUTDOWN', { guest: false, reason })),
    ];
    this.send({ QMP: { version: VERSION, capabilities: [] } });
  }

  /** Text from the client. Gives how many commands wait now. */
  receive(text: string): number {
    for (const value of this.splitter.take(text)) {
      this.waiting++;
      this.queue = this.queue.then(async () => {
        this.send(await this.answer(value));
        this.waiting--;
      });
    }
    return this.waiting;
  }

  /** Settles when all commands that have come are answered. */
  idle(): Promise<void> {
    return this.queue;
  }

  close(): void {
    for (const end of this.unobserve) end();
  }

  private send(value: object): void {
    this.around.send(`${JSON.stringify(value)}\r\n`);
  }

  private event(event: string, data?: object): void {
    if (!this.negotiated) return;
    const ms = this.around.now();
    const timestamp = { seconds: Math.floor(ms / 1000), microseconds: Math.floor((ms % 1000) * 1000) };
    this.send({ timestamp, event, ...(data === undefined ? {} : { data }) });
  }

  private stopped(cause: StopCause): void {
    // A machine that was told not to start again is shut down by its reset.
    if (cause.kind === 'shutdown') this.event('SHUTDOWN', { guest: cause.cause.startsWith('guest'), reason: cause.cause });
    // As QEMU, whose machine does not stop before it is gone.
    const { control } = this;
    if (!control.ending && (cause.kind !== 'shutdown' || !control.endsWith(cause))) this.event('STOP');
  }

  private async answer(text: string | null): Promise<object> {
    let id: { readonly id?: unknown } = {};
    try {
      const request = parse(text);
      if (request.id !== undefined) id = { id: request.id };
      const value = await this.execute(decode(request));
      return { return: value ?? {}, ...id };
    } catch (e) {
      return { error: { class: e instanceof QmpError ? e.errorClass : 'GenericError', desc: (e as Error).message }, ...id };
    }
  }

  private execute({ execute: name, arguments: args }: Request): Promise<unknown> | unknown {
    if (!this.negotiated && name !== 'qmp_capabilities')
      throw new QmpError("Expecting capabilities negotiation with 'qmp_capabilities'", 'CommandNotFound');
    if (this.negotiated && name === 'qmp_capabilities')
      throw new QmpError('Capabilities negotiation is already complete, command ignored', 'CommandNotFound');
    const command = Object.hasOwn(this.commands, name) ? this.commands[name]! : null;
    if (command === null) throw new QmpError(`The command ${name} has not been found`, 'CommandNotFound');
    return command(args);
  }

  private table(): Record<string, QmpCommand> {
    const { control } = this;
    const icount =
      (action: (icount: number) => Promise<void>): QmpCommand =>
      (args) => {
        const value = args.integer('icount');
        args.end();
        return action(value);
      };
    return {
      qmp_capabilities: (args) => this.negotiate(args),
      'query-commands': plain(() => Object.keys(this.commands).map((name) => ({ name }))),
      'query-version': plain(() => VERSION),
      'query-name': plain(() => (control.name === null ? {} : { name: control.name })),
      'query-kvm': plain(() => ({ enabled: false, present: false })),
      'query-target': plain(() => ({ arch: 'i386' })),
      'query-uuid': plain(() => ({ UUID: '00000000-0000-0000-0000-000000000000' })),
      'query-cpus-fast': plain(() => [CPU]),
      'query-block': plain(async () => (await control.drives()).map((drive) => blockInfo(drive).info)),
      'query-chardev': plain(() => control.charDevices.map(charDeviceInfo)),
      'query-mice': plain(() => MICE),
      'query-named-block-nodes': (args) => this.blockNodes(args),
      'query-status': plain(() => this.status()),
      'query-replay': plain(() => this.replay()),
      'replay-break': icount((n) => control.replayBreak([n])),
      'replay-delete-break': plain(() => control.replayDeleteBreak()),
      'replay-seek': icount((n) => control.replaySeek(n)),
      stop: plain(() => control.stop()),
      cont: plain(() => control.cont()),
      system_reset: plain(() => control.reset()),
      system_powerdown: plain(() => control.powerDown()),
      // As in QEMU, the event comes before the answer.
      quit: plain(() => control.end('host-qmp-quit')),
      'human-monitor-command': (args) => this.humanCommand(args),
      screendump: (args) => this.screendump(args),
      ...snapshotCommands(control),
      'send-key': (args) => this.sendKey(args),
      'input-send-event': (args) => this.sendEvents(args),
    };
  }

  private negotiate(args: QmpArguments): void {
    const [wanted] = args.optional('enable', (name) => args.strings(name, MAX_CAPABILITIES)) ?? [];
    args.end();
    if (wanted !== undefined) throw new QmpError(`Parameter 'enable' does not accept value '${wanted}'`);
    this.negotiated = true;
  }

  private async blockNodes(args: QmpArguments): Promise<object[]> {
    args.optional('flat', args.boolean);
    args.end();
    return (await this.control.drives()).map((drive) => blockInfo(drive).node);
  }

  private async humanCommand(args: QmpArguments): Promise<string> {
    const line = args.string('command-line');
    const cpu = args.optional('cpu-index', args.integer) ?? 0;
    args.end();
    if (cpu !== 0) throw new QmpError("Parameter 'cpu-index' expects a CPU number");
    return (await this.human.execute(line)).replaceAll('\n', '\r\n');
  }

  private async screendump(args: QmpArguments): Promise<void> {
    const path = args.string('filename');
    const device = args.optional('device', args.string);
    args.optional('head', args.integer);
    const format = args.optional('format', (name) => args.oneOf(name, ['ppm', 'png'])) ?? 'ppm';
    args.end();
    if (device !== null) throw new QmpError(`Device '${device}' not found`, 'DeviceNotFound');
    await writeScreen(this.control, path, { format, device });
  }

  private async sendKey(args: QmpArguments): Promise<void> {
    const names = keyNames(args);
    args.optional('hold-time', args.integer);
    args.end();
    const requests = pressKeys(names);
    if (!Array.isArray(requests)) throw new QmpError(`Parameter 'data' does not accept value '${requests.unknown}'`);
    await this.control.send(requests);
  }

  private async sendEvents(args: QmpArguments): Promise<void> {
    const device = args.optional('device', args.string);
    args.optional('head', args.integer);
    const requests = inputEvents(args);
    args.end();
    if (device !== null) throw new QmpError(`Device '${device}' not found`, 'DeviceNotFound');
    const { mode, running } = await this.control.status();
    if (!running && mode !== 'play') throw new QmpError('VM not running');
    await this.control.send(requests);
  }

  private async status(): Promise<object> {
    const status = await this.control.runState();
    return { status, singlestep: false, running: status === 'running' };
  }

  private async replay(): Promise<object> {
    const { mode, filename, position } = await this.control.status();
    return { mode, ...(filename === null ? {} : { filename }), icount: position.icount };
  }
}

interface Request {
  readonly execute: string;
  readonly arguments: QmpArguments;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object that a client sent. Throws QmpError. */
function parse(text: string | null): Readonly<Record<string, unknown>> {
  if (text === null) throw new QmpError('JSON parse error, the value is too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new QmpError('JSON parse error, invalid value');
  }
  if (!isObject(value)) throw new QmpError('QMP input must be a JSON object');
  return value;
}

function decode(value: Readonly<Record<string, unknown>>): Request {
  for (const name of Object.keys(value)) if (!MEMBERS.includes(name)) throw new QmpError(`QMP input member '${name}' is unexpected`);
  const { execute, arguments: args = {} } = value;
  if (execute === undefined) throw new QmpError("QMP input lacks member 'execute'");
  if (typeof execute !== 'string') throw new QmpError("QMP input member 'execute' must be a string");
  if (!isObject(args)) throw new QmpError("QMP input member 'arguments' must be an object");
  return { execute, arguments: new QmpArguments(args) };
}
