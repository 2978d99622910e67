import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 100;

/** What a program took. */
interface Cost {
  /** From its start to its end. */
  readonly seconds: number;
  /** From its start to the moment it had written the text asked for. */
  readonly textSeconds: number;
  /** The most memory it held at once, all threads, as Linux's VmHWM gives it, in bytes; what was added in its last 100 ms may be missing. */
  readonly peakBytes: number;
}

function peakMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/**
 * Runs a program to its end and times it. One that fails, or never writes the text, is an error.
 * @param text what to wait for on its standard output; nothing when left out
 */
export async function cost(command: string, args: readonly string[], text = ''): Promise<Cost> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [peakBytes, textSeconds, output, errors] = [0, text === '' ? 0 : Number.NaN, '', ''];
  child.stdout.setEncoding('latin1').on('data', (data: string) => {
    output += data;
    if (Number.isNaN(textSeconds) && output.includes(text)) textSeconds = (performance.now() - start) / 1000;
  });
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    errors += data;
  });
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakMemory(child.pid!));
  }, SAMPLE_MS);
  const status = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  clearInterval(sampler);
  if (status !== 0 || Number.isNaN(textSeconds)) throw new Error(`${command} ${args[0]}: status ${status}, ${errors}${output.slice(-400)}`);
  return { seconds: (performance.now() - start) / 1000, textSeconds, peakBytes };
}
