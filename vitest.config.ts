import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { PATIENCE_MS } from './test/tools.js';

/** What takes longest begins first, so that no worker is left alone with it at the end. */
const LONG = [
  'judges/linux.test',
  'judges/linux-disk',
  'judges/linux-modes',
  'judges/lockstep',
  'judges/linux-interrupted',
  'judges/memtest',
  'judges/linux-typed',
  'cli/options',
  'cli/replay-options',
  'cli/signals',
  'cli/recording-files',
  'block/qcow2-qemu',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.includes(`/test/${name}`));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
  },
});
