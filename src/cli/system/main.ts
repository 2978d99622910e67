#!/usr/bin/env -S node --v8-pool-size=0
import { rmSync, writeFileSync } from 'node:fs';
import type { StopCause } from '../../core/debug-target.js';
import { EXIT_USER_ERROR, UserError } from '../../core/errors.js';
import { MachineThread } from '../../debug/machine-thread.js';
import { configure } from '../../machine/config.js';
import type { Job } from '../../machine/job.js';
import { networkWarnings } from '../../machine/network-options.js';
import { planRecording } from '../../machine/new-recording.js';
import { serveHuman } from '../../monitor/monitor-server.js';
import { serveTerminal, type TerminalMonitor } from '../../monitor/terminal-monitor.js';
import { DebugServices } from '../debug-services.js';
import { openKeyboard } from '../keyboard.js';
import { NetworkEnds } from '../network-ends.js';
import { replayJob } from '../replay-job.js';
import { stdinDevice } from '../stdin-device.js';
import { onStopSignal } from '../stop-signals.js';
import { CharSockets } from './char-sockets.js';
import { parseQemuOptions, type QemuCommandLine } from './qemu-options.js';
import { SharedTerminal } from './shared-terminal.js';

const HELP = `palindrome-system-i386 [QEMU's options] [DISK]: a machine, with QEMU's own command line

  -icount shift=N,rr=record|replay,rrfile=FILE[,rrsnapshot=NAME]   record into FILE, or replay it
  -drive file=IMAGE.qcow2,if=none,id=rr                            keeps snapshots (savevm, loadvm); else FILE.qcow2 does
  -S -s -gdb tcp:HOST:PORT|unix:PATH|stdio|chardev:ID          stdio is for gdb's: target remote | palindrome-system-i386 ... -gdb stdio
  -qmp -monitor -serial stdio|tcp:HOST:PORT|telnet:HOST:PORT|unix:PATH[,server=on][,wait=off]
  -chardev socket|stdio|file|null,id=ID,... -mon chardev=ID,mode=control|readline -serial chardev:ID -device isa-serial,chardev=ID
  -m -cpu -M -bios -kernel -initrd -append -hda -drive -device -serial -debugcon -rtc -vga std|none
  -display none -nographic -nodefaults -no-reboot -no-shutdown -no-acpi -no-hpet -name -pidfile
  -boot [order=]LETTERS,once=LETTERS,menu=on|off,splash-time=MS,strict=on|off,reboot-timeout=MS
  -device AC97[,audiodev=ID] -audiodev none|wav,id=ID[,path=FILE]  sound; also -audio none|wav,model=ac97[,path=FILE] and -soundhw ac97
  -netdev user,id=ID[,net=ADDR/BITS][,host=ADDR][,dns=ADDR][,dhcpstart=ADDR][,restrict=on][,hostname=NAME][,domainname=NAME][,hostfwd=RULE]...
  -device rtl8139,netdev=ID[,mac=ADDR][,romfile=FILE][,bootindex=N][,addr=SLOT] -object filter-replay,id=ID,netdev=ID
  -nic user,model=rtl8139[,...]    -net nic,model=rtl8139 -net user    RULE: [tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT

Options that are not supported are refused by name. See palindrome record --help for the values of the others.
`;

function job(line: QemuCommandLine): Omit<Job, 'control'> {
  const base = { until: null, jit: 'on', screenshot: false, strict: true, final: null, logFormat: '5.2' } as const;
  if (line.mode === 'replay') return replayJob({ ...line.machine, log: line.log!, jit: 'on' });
  const { snapshots: asked, ...config } = configure(line.machine);
  if (line.mode === 'none') {
    if (asked?.first) throw new UserError('bad-option', '-icount rrsnapshot= needs rr=record or rr=replay');
    const file = asked?.file ?? null;
    return {
      ...base,
      kind: 'run',
      config,
      log: null,
      ...(file === null ? {} : { snapshots: { store: file, given: true, first: null, last: null } }),
    };
  }
  const log = line.log!;
  return { ...base, kind: 'record', config, log, ...planRecording(log, config, base.logFormat, asked) };
}

async function run(line: QemuCommandLine): Promise<void> {
  const sockets = new CharSockets(line.sockets);
  const made = job(line);
  const complain = (text: string): void => void process.stderr.write(`palindrome-system-i386: ${inQemusSpelling(text)}\n`);
  const networks = new NetworkEnds(made.config);
  try {
    if (made.kind !== 'replay') await networks.start();
  } catch (e) {
    networks.close();
    throw e;
  }
  const machine = new MachineThread({ ...made, config: networks.connect(sockets.connect(made.config)) });
  networks.serve((requests) => machine.call('input', { requests }), complain);
  let quitting = false;
  const quit = (): void => {
    quitting = true;
    void machine.call('quit', {}).catch(() => {});
  };
  const services = new DebugServices(machine, quit);
  Object.assign(services.control, {
    name: line.name,
    driveNames: line.driveNames,
    charDevices: line.charDevices,
    endsWith: (cause: StopCause) => isOver(cause, line),
  });
  machine.observe({ stopped: (cause) => ended(cause, line) && quit() });
  const endSignals = onStopSignal((number) => {
    process.stderr.write(`palindrome-system-i386: terminating on signal ${number}\n`);
    services.control.end('host-signal');
  });
  const keys = terminal(line, stdinDevice(made.config), machine, services, quit);
  let endKeyboard = (): void => {};
  const waiting = (address: string): void => void process.stderr.write(`palindrome-system-i386: waiting for connection on: ${address}\n`);
  for (const text of networkWarnings(made.config)) complain(text);
  if (line.pidFile !== null) writePid(line.pidFile);
  try {
    services.openPipes(line.services);
    await Promise.race([machine.ready, machine.ended]);
    await sockets.open(machine, waiting);
    for (const service of line.services) await services.open(service, waiting);
    if (keys !== null) endKeyboard = openKeyboard(keys, !line.shared);
    if (!line.stopped) await services.control.cont();
    services.begin();
    await machine.ended;
  } catch (e) {
    const asked = quitting;
    // The machine must not outlive us: it would keep the program from ending.
    quit();
    await machine.ended.catch(() => {});
    // Whoever ended it so early need not hear that it has ended.
    if (!asked) throw e;
  } finally {
    networks.close();
    sockets.close();
    services.close();
    endKeyboard();
    process.stdin.pause();
    endSignals();
    if (line.pidFile !== null) rmSync(line.pidFile, { force: true });
  }
}

/** What takes the terminal's keys; null: nobody. A replay takes none, until it goes live. */
function terminal(
  line: QemuCommandLine,
  device: number | null,
  machine: MachineThread,
  services: DebugServices,
  quit: () => void,
): ((bytes: Buffer) => void) | null {
  if (device === null) return null;
  const toGuest = (bytes: Uint8Array): void =>
    void machine.call('input', { requests: [{ kind: 'chars', device, bytes: new Uint8Array(bytes) }] }).catch(() => {});
  if (!line.shared) return toGuest;
  const { human } = services;
  let monitor: TerminalMonitor | null = null;
  const shared = new SharedTerminal({
    serial: toGuest,
    monitorShown: () => {
      if (!process.stdin.isTTY) return;
      if (monitor === null) monitor = serveTerminal(human, shared.monitor, process.stdout);
      else monitor.prompt();
    },
    quit: () => {
      process.stdout.write('palindrome-system-i386: Terminated\r\n');
      quit();
    },
  });
  if (!process.stdin.isTTY) serveHuman(human, shared.monitor, process.stdout, '');
  return (bytes) => shared.take(bytes);
}

function writePid(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (e) {
    throw new UserError('file-io', `-pidfile ${path}: ${(e as Error).message}`);
  }
}

/** Whether the program ends with the machine; a debugger may want to go back from there. */
function ended(cause: StopCause, line: QemuCommandLine): boolean {
  if (cause.kind === 'failed') {
    process.stderr.write(`palindrome-system-i386: ${cause.message}\n`);
    process.exitCode = 3;
  }
  return isOver(cause, line);
}

function isOver(cause: StopCause, line: QemuCommandLine): boolean {
  const over = cause.kind === 'shutdown' || cause.kind === 'log-end' || cause.kind === 'failed';
  return over && !line.stays && !line.services.some((s) => s.kind === 'gdb');
}

/** Options are named as they were given here: with one dash. */
function inQemusSpelling(message: string): string {
  return message.replace(/(^|\s)--memory\b/g, '$1-m').replace(/(^|\s)--(?=[a-z])/g, '$1-');
}

function fail(error: unknown): never {
  if (error instanceof UserError) {
    process.stderr.write(`palindrome-system-i386: ${inQemusSpelling(error.message)}\n`);
    process.exit(EXIT_USER_ERROR);
  }
  process.stderr.write(
    `palindrome-system-i386: internal error, please report it\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

const argv = process.argv.slice(2);
if (argv.some((word) => /^(-h|--?help)$/.test(word))) process.stdout.write(HELP);
else if (argv.some((word) => /^--?version$/.test(word)))
  process.stdout.write('palindrome-system-i386, with the command line of QEMU 7.2.22\n');
else
  try {
    await run(parseQemuOptions(argv));
  } catch (error) {
    fail(error);
  }
