import { type Cpu, REQUEST_HARD, REQUEST_INIT, REQUEST_NMI, REQUEST_POLL, REQUEST_SIPI, REQUEST_SMI } from './cpu.js';
import { deliver } from './exceptions.js';
import { NMI } from './fault.js';
import { MODE_INHIBIT } from './mode.js';
import { EFLAGS, EIP, FLAG_IF } from './regs.js';
import { enterSmm } from './smm.js';

/** The request that can be taken now, by QEMU's priority; 0: none. INIT counts, though it does not wake a halted CPU. */
export function pendingRequest(cpu: Cpu): number {
  const pending = cpu.interruptRequest;
  if (pending === 0) return 0;
  if ((pending & REQUEST_INIT) !== 0) return REQUEST_INIT;
  if ((pending & REQUEST_POLL) !== 0) return REQUEST_POLL;
  if ((pending & REQUEST_SIPI) !== 0) return REQUEST_SIPI;
  if ((pending & REQUEST_SMI) !== 0 && !cpu.smm) return REQUEST_SMI;
  if ((pending & REQUEST_NMI) !== 0 && !cpu.nmiMasked) return REQUEST_NMI;
  if ((pending & REQUEST_HARD) !== 0 && (cpu.r[EFLAGS] & FLAG_IF) !== 0 && (cpu.mode & MODE_INHIBIT) === 0) return REQUEST_HARD;
  return 0;
}

/**
 * Takes one request and reports it to the board, except POLL. The report comes behind the action, for INIT before it.
 * Throws the guest fault of a delivery that failed (nothing is reported then).
 */
export function takeRequest(cpu: Cpu, request: number): void {
  const { board } = cpu;
  cpu.interruptRequest &= ~request;
  switch (request) {
    case REQUEST_POLL:
      board.pollApic();
      return;
    case REQUEST_INIT:
      board.interruptTaken();
      initialise(cpu);
      return;
    case REQUEST_SIPI:
      // The only processor is the bootstrap one, which never waits for a start-up message.
      break;
    case REQUEST_SMI:
      enterSmm(cpu);
      break;
    case REQUEST_NMI:
      cpu.nmiMasked = true;
      deliver(cpu, NMI, 0, 'hardware', cpu.r[EIP]);
      break;
    default: {
      const vector = board.acknowledgeInterrupt();
      if (vector >= 0) deliver(cpu, vector, 0, 'hardware', cpu.r[EIP]);
    }
  }
  board.interruptTaken();
}

/** INIT; a pending SIPI stays. */
function initialise(cpu: Cpu): void {
  const sipi = cpu.interruptRequest & REQUEST_SIPI;
  cpu.initialise();
  cpu.interruptRequest = sipi;
  cpu.board.apicInit();
}
