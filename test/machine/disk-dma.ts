import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configure } from '../../src/machine/config.js';
import { writeRom } from '../machines.js';
import { type Recording, record } from '../replay/scripted.js';

/** disk-dma.asm assembled (nasm -f bin, in the repository's folder). */
const CODE =
  '+jHAjtiOwI7QvABw/Ga5IAkAgGa4AMAAAOjnAGa5BAkAgGa4BQAAAOjYAMcG2AGlAYwO2gGwEeYg5qCwCOYhsHDmobAE5iGwAuahsAHmIeahsPvmIbC/5qH7ZjHbZr0EAAAAv8Aj6HcAvwAw6HEAZrgAIAAA6JoAsMq0AejqAGb3xQMAAAB1Kma4AIAAAOiBALDItAnopgC69gOwBO7o4QAwwO65yADo2ADi+7oAwDDA7ma4AIAAAOhXALDItAnopwC+wIPoLAC+AJDoJgBmTXWRZokeAAW69ACwAe706/25EABmadvNDQEAZkNmidhmq+Lww7kQAGatZmvbH2YBw+L1w2aRuvgMZu+6/AxmkWbvw2ajABBmxwYEEAAEAABmBQAQAABmowgQZscGDBAAAgCAugTAZrgAEAAAZu/DULoCwLAG7rryAbAD7kKJ6MDgA+5CMMDuQu5CsODuQlju6CAAugDAiODuw8YGAAYA6M3/6A4AgD4ABgB09roAwDDA7sNQUrr2A+xma9sfZg+2wGYBw7oCwOxma9sfZg+2wGYBw1pYw1BSxgYABgG69wHssCDmoOYgWljP';

type OnTurn = NonNullable<Parameters<typeof record>[5]>;

/** Records a guest that writes a disk by bus-master DMA and reads it back, up to its end. @param onTurn see `record` */
export function recordDiskDma(folder: string, onTurn: OnTurn): Recording & { readonly strict: true } {
  const bios = writeRom(join(folder, 'disk-dma.rom'), CODE);
  const disk = join(folder, 'disk.raw');
  writeFileSync(disk, Buffer.alloc(1 << 16, 0x5a));
  const config = configure({
    bios,
    cpu: 'qemu32,-apic',
    memory: '1M',
    nodefaults: true,
    drive: [`file=${disk},format=raw`],
    device: ['isa-debug-exit,iobase=0xf4,iosize=1'],
  });
  return { ...record(join(folder, 'disk-dma.rr'), config, '5.2', 100_000, [], onTurn), strict: true };
}
