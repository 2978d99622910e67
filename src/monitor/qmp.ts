// Longer than most: one table of commands.

import type { HostRequest } from '../../replay/host.js';
import { QCODE_NAMES } from '../../replay/log/qcodes.js';
import type { StopCause } from '../core/debug-target.js';
import type { HumanMonitor } from './hmp.js';
import { JsonSplitter } from './json-splitter.js';
import { AXIS_X, AXIS_Y, pressKeys } from './key-events.js';
import { CommandError, type MachineControl } from './machine-control.js';
import { type ArgumentKind, checkArguments, QmpError } from './qmp-arguments.js';

type Arguments = Readonly<Record<string, unknown>>;

interface Command {
  readonly takes: Readonly<Record<string, ArgumentKind>>;
  readonly run: (args: Arguments) => Promise<unknown> | unknown;
}

/** What a QMP session needs besides the machine. */
export interface QmpSurroundings {
  send(line: string): void;
  /** Ends the program. */
  quit(): void;
  /** Milliseconds since 1970, for the time stamps of events. */
  now(): number;
}

const VERSION = { qemu: { micro: 22, minor: 2, major: 7 }, package: 'palindrome' };
const MEMBERS = ['execute', 'arguments', 'id'];
const MAX_ABSOLUTE_EVENTS = 1024;
const BUTTONS = ['left', 'middle', 'right', 'wheel-up', 'wheel-down', 'side', 'extra'];

/** QEMU's machine protocol on one line: JSON in, JSON out. One command is worked on at a time. */
export class QmpSession {
  private readonly control: MachineControl;
  private readonly human: HumanMonitor;
  private readonly around: QmpSurroundings;
  private readonly splitter = new JsonSplitter();
  private readonly commands: Readonly<Record<string, Command>>;
  private readonly unobserve: () => void;
  private negotiated = false;
  private queue: Promise<void> = Promise.resolve();

  constructor(control: MachineControl, human: HumanMonitor, around: QmpSurroundings) {
    this.control = control;
    this.human = human;
    this.around = around;
    this.commands = this.table();
    this.unobserve = control.machine.observe({
      resumed: () => this.event('RESUME'),
      stopped: (cause) => this.stopped(cause),
    });
    this.send({ QMP: { version: VERSION, capabilities: [] } });
  }

  /** Text from the client. */
  receive(text: string): void {
    for (const value of this.splitter.take(text))
      this.queue = this.queue.then(async () => {
        const reply = await this.answer(value);
        if (reply !== null) this.send(reply);
      });
  }

  close(): void {
    this.unobserve();
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
    if (cause.kind === 'shutdown') {
      const guest = cause.cause.startsWith('guest');
      this.event(cause.cause === 'guest-reset' ? 'RESET' : 'SHUTDOWN', { guest, reason: cause.cause });
    }
    this.event('STOP');
  }

  private async answer(text: string | null): Promise<object | null> {
    let id: { readonly id?: unknown } = {};
    try {
      const request = parse(text);
      if (request.id !== undefined) id = { id: request.id };
      const value = await this.execute(request);
      return { return: value ?? {}, ...id };
    } catch (e) {
      if (!(e instanceof QmpError || e instanceof CommandError))
        return { error: { class: 'GenericError', desc: (e as Error).message }, ...id };
      return { error: { class: e instanceof QmpError ? e.errorClass : 'GenericError', desc: e.message }, ...id };
    }
  }

  private execute(request: Request): Promise<unknown> | unknown {
    const { execute: name, arguments: args } = request;
    if (!this.negotiated && name !== 'qmp_capabilities')
      throw new QmpError("Expecting capabilities negotiation with 'qmp_capabilities'", 'CommandNotFound');
    const command = Object.hasOwn(this.commands, name) ? this.commands[name]! : null;
    if (command === null || (this.negotiated && name === 'qmp_capabilities'))
      throw new QmpError(`The command ${name} has not been found`, 'CommandNotFound');
    checkArguments(args, command.takes);
    return command.run(args);
  }

  private table(): Record<string, Command> {
    const { control } = this;
    const plain = (run: Command['run']): Command => ({ takes: {}, run });
    return {
      qmp_capabilities: { takes: { enable: 'list?' }, run: (args) => this.negotiate(args) },
      'query-commands': plain(() => Object.keys(this.commands).map((name) => ({ name }))),
      'query-version': plain(() => VERSION),
      'query-name': plain(() => ({})),
      'query-kvm': plain(() => ({ enabled: false, present: false })),
      'query-block': plain(() => []),
      'query-named-block-nodes': plain(() => []),
      'query-status': plain(() => this.status()),
      'query-replay': plain(() => this.replay()),
      'replay-break': { takes: { icount: 'int' }, run: ({ icount }) => control.replayBreak([icount as number]) },
      'replay-delete-break': plain(() => control.replayDeleteBreak()),
      'replay-seek': { takes: { icount: 'int' }, run: ({ icount }) => control.replaySeek(icount as number) },
      stop: plain(() => control.stop()),
      cont: plain(() => control.cont()),
      quit: plain(() => this.quit()),
      'human-monitor-command': {
        takes: { 'command-line': 'str', 'cpu-index': 'int?' },
        run: async (args) => (await this.human.execute(args['command-line'] as string)).replaceAll('\n', '\r\n'),
      },
      'send-key': { takes: { keys: 'list', 'hold-time': 'int?' }, run: ({ keys }) => this.sendKey(keys as unknown[]) },
      'input-send-event': {
        takes: { device: 'str?', head: 'int?', events: 'list' },
        run: ({ events }) => this.input(inputEvents(events as unknown[])),
      },
    };
  }

  private negotiate({ enable }: Arguments): object {
    if (Array.isArray(enable) && enable.length > 0) throw new QmpError(`Capability '${String(enable[0])}' is not available`);
    this.negotiated = true;
    return {};
  }

  private async status(): Promise<object> {
    const status = await this.control.runState();
    return { status, singlestep: false, running: status === 'running' };
  }

  private async replay(): Promise<object> {
    const { mode, filename, position } = await this.control.status();
    return { mode, ...(filename === null ? {} : { filename }), icount: position.icount };
  }

  private quit(): object {
    // The answer goes out before everything ends.
    setImmediate(() => {
      this.event('SHUTDOWN', { guest: false, reason: 'host-qmp-quit' });
      this.around.quit();
    });
    return {};
  }

  private async input(requests: readonly HostRequest[]): Promise<object> {
    if (!(await this.control.machine.call('input', { requests }))) throw new QmpError('a replay takes no input');
    return {};
  }

  private sendKey(keys: readonly unknown[]): Promise<object> {
    const requests = pressKeys(keys.map(keyName));
    if (!Array.isArray(requests)) throw new QmpError(`Invalid parameter '${requests.unknown}'`);
    return this.input(requests);
  }
}

interface Request {
  readonly execute: string;
  readonly arguments: Arguments;
  readonly id?: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string | null): Request {
  if (text === null) throw new QmpError('JSON parse error, the value is too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new QmpError('JSON parse error, invalid value');
  }
  if (!isObject(value)) throw new QmpError('QMP input must be a JSON object');
  for (const name of Object.keys(value)) if (!MEMBERS.includes(name)) throw new QmpError(`QMP input member '${name}' is unexpected`);
  const { execute, arguments: args = {}, id } = value;
  if (execute === undefined) throw new QmpError("QMP input lacks member 'execute'");
  if (typeof execute !== 'string') throw new QmpError("QMP input member 'execute' must be a string");
  if (!isObject(args)) throw new QmpError("QMP input member 'arguments' must be an object");
  return { execute, arguments: args, ...(id === undefined ? {} : { id }) };
}

/** A KeyValue of QMP as HMP would write it. */
function keyName(key: unknown): string {
  if (!isObject(key)) throw new QmpError("Invalid parameter type for 'keys', expected: object");
  if (key.type === 'qcode' && typeof key.data === 'string') return key.data;
  if (key.type === 'number' && Number.isSafeInteger(key.data)) return `0x${(key.data as number).toString(16)}`;
  throw new QmpError("Parameter 'type' does not accept this value");
}

function inputEvents(events: readonly unknown[]): HostRequest[] {
  if (events.length > MAX_ABSOLUTE_EVENTS) throw new QmpError('too many events');
  return [...events.map(inputEvent), { kind: 'input-sync' }];
}

function inputEvent(event: unknown): HostRequest {
  if (!isObject(event) || !isObject(event.data)) throw new QmpError("Invalid parameter type for 'events', expected: object");
  const { data } = event;
  const axis = data.axis === 'x' ? AXIS_X : data.axis === 'y' ? AXIS_Y : -1;
  const value = data.value;
  const down = data.down === true;
  if ((event.type === 'rel' || event.type === 'abs') && axis >= 0 && Number.isSafeInteger(value))
    return { kind: 'input', event: { kind: event.type, axis, value: (value as number) | 0 } };
  const button = BUTTONS.indexOf(String(data.button));
  if (event.type === 'btn' && button >= 0) return { kind: 'input', event: { kind: 'button', button, down } };
  if (event.type === 'key') {
    const name = keyName(data.key);
    const qcode = QCODE_NAMES.indexOf(name);
    if (qcode > 0) return { kind: 'input', event: { kind: 'key', qcode, down } };
    if (name.startsWith('0x')) return { kind: 'input', event: { kind: 'key-number', number: BigInt(name), down } };
  }
  throw new QmpError("Invalid parameter 'events'");
}
