import { randomBytes } from 'node:crypto';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { HostEnvironment, HostRequest } from '../../replay/host.js';
import type { ControlBlock } from './job.js';

/** The real host, as seen from the worker: its clocks, its random numbers, and the requests that the main thread passes on. */
export class LiveHost implements HostEnvironment {
  private readonly startedNs = process.hrtime.bigint();
  private readonly port: MessagePort;
  private readonly control: ControlBlock;
  private generation = -1;
  private kept: HostRequest[] = [];

  constructor(port: MessagePort, control: ControlBlock) {
    this.port = port;
    this.control = control;
  }

  /** Microsecond steps: what Node's clock gives. */
  wallNs(): bigint {
    return BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
  }

  monotonicNs(): number {
    return Number(process.hrtime.bigint() - this.startedNs);
  }

  random(lengthBytes: number): Uint8Array {
    return new Uint8Array(randomBytes(lengthBytes));
  }

  poll(): HostRequest[] {
    const { generation } = this.control;
    if (generation === this.generation && this.kept.length === 0) return [];
    this.generation = generation;
    const requests = this.kept;
    this.kept = [];
    for (let m = receiveMessageOnPort(this.port); m !== undefined; m = receiveMessageOnPort(this.port))
      requests.push(m.message as HostRequest);
    return requests;
  }

  /** Requests that came too early: the next `poll` gives them again. */
  keep(requests: readonly HostRequest[]): void {
    this.kept.push(...requests);
  }

  wait(ns: number | null): void {
    this.control.sleep(this.generation, ns === null ? Number.POSITIVE_INFINITY : ns / 1e6);
  }
}
