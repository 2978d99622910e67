// Oracle: self-consistency (what the guest says before is what was recorded; what it says after is the answer to what is typed then).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { palindrome, summary, temporaryFolder } from '../cli.js';
import { Background, guestOptions, refusal } from './guest.js';

const folder = temporaryFolder();
const log = join(folder, 'a.rr');
const END = 2_000_000;

describe('replay --go-live-at', () => {
  it('goes on with a guest that hears and answers what is typed', async () => {
    const recorded = palindrome('record', log, ...guestOptions(folder), '--serial', 'stdio', '--until', String(END));
    expect(recorded.status, recorded.stderr).toBe(0);
    const live = new Background('replay', log, '--go-live-at', '1,500,000');
    live.child.stdin!.write('typed now\n');
    await live.ended;
    expect(live.stdout).toMatch(/^palindrome demo guest\n[\s\S]*keys 0, line: typed now\n/);
    expect(live.stdout.startsWith(recorded.stdout)).toBe(true);
    expect(live.stderr).toContain('the machine shut down (guest-shutdown)');
  });

  it('goes on where the recording ended, and adds to what the replay wrote into a file', () => {
    const file = join(folder, 'serial.txt');
    const result = summary('replay', log, '--go-live-at', String(END), '--until', String(END + 500_000), '--serial', `file:${file}`);
    expect(result).toMatchObject({ status: 0, stop: 'until', icount: END + 500_000 });
    expect(readFileSync(file, 'latin1')).toContain('palindrome demo guest\n');
  });

  it('refuses an instruction that the recording does not reach, or that the run would not get to', () => {
    expect(refusal('replay', log, '--serial', 'null', '--go-live-at', '9999999')).toContain(
      `--go-live-at 9999999: the recording ends at instruction ${END}`,
    );
    expect(refusal('replay', log, '--go-live-at', '500', '--until', '400')).toContain('--until 400 is before --go-live-at 500');
    expect(refusal('replay', log, '--go-live-at', 'soon')).toContain('--go-live-at soon: expected an instruction count');
  });

  it('leaves the recording as it was', () => {
    expect(summary('replay', log)).toMatchObject({ status: 0, divergence: null, icount: END });
  });
});
