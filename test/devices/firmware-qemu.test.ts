// Oracle: QEMU run (7.2.22): a ROM reads its firmware configuration (files with ACPI and SMBIOS tables among them), compared byte by byte.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FW_CFG, FwCfg } from '../../devices/firmware/fw-cfg.js';
import { configure, type MachineArguments } from '../../src/machine/config.js';
import { describeFirmware } from '../../src/machine/firmware.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { PortMap } from '../../src/memory/ports.js';
import { type Guest, readFirmwareConfiguration } from '../../tools/lockstep/qemu.js';
import { temporaryFolder } from '../cli.js';
import { requireTool } from '../tools.js';

const folder = temporaryFolder();
const DISKS = ['a', 'b'].map((id) => {
  const file = join(folder, `${id}.img`);
  writeFileSync(file, Buffer.alloc(1 << 20));
  return `file=${file},format=raw,if=none,id=${id}`;
});
const BOOTED = ['ide-hd,drive=a,bus=ide.1,unit=1,bootindex=7', 'ide-hd,drive=b,bus=ide.0,unit=0,bootindex=3'];

const PM_PORTS = 0x600;
const COM = ['-serial', 'file:/dev/null'];

interface Board {
  readonly title: string;
  readonly qemu: Partial<Guest>;
  readonly ours: MachineArguments;
}

const NICS = ['rtl8139,romfile=,bootindex=4', 'rtl8139,romfile=,addr=0x1c,bootindex=2'];

const BOARDS: readonly Board[] = [
  { title: 'a bare board', qemu: {}, ours: {} },
  { title: 'one serial port and 256 MiB', qemu: { memoryMiB: 256, options: COM }, ours: { memory: '256M', serial: ['null'] } },
  { title: 'a display and two serial ports', qemu: { options: ['-vga', 'std', ...COM, ...COM] }, ours: { serial: ['null', 'null'] } },
  { title: 'a sound card', qemu: { options: ['-audiodev', 'none,id=a', '-device', 'AC97,audiodev=a'] }, ours: { device: ['AC97'] } },
  { title: 'no HPET', qemu: { options: ['-machine', 'hpet=off'] }, ours: { machine: 'pc,hpet=off' } },
  { title: 'no power management', qemu: { acpi: false }, ours: { machine: 'pc,acpi=off' } },
  {
    title: 'a boot menu',
    qemu: { options: ['-boot', 'order=dc,menu=on,splash-time=1234,reboot-timeout=77,strict=on'] },
    ours: { boot: 'order=dc,menu=on,splash-time=1234,reboot-timeout=77,strict=on' },
  },
  {
    title: 'boot indexes',
    qemu: {
      options: ['-boot', 'strict=on', ...DISKS.flatMap((d) => ['-drive', d]), ...BOOTED.flatMap((d) => ['-device', d])],
    },
    ours: { boot: 'strict=on', drive: DISKS, device: BOOTED },
  },
  {
    title: 'network cards',
    qemu: { options: NICS.flatMap((d) => ['-device', d]) },
    ours: { device: NICS },
  },
];

function readItem(fwCfg: PortMap, key: number, count: number): Buffer {
  fwCfg.write(0x510, key, 2);
  return Buffer.from(Array.from({ length: count }, () => fwCfg.read(0x511, 1)));
}

/** Reads files through the ports, as firmware does. */
function readFiles(fwCfg: PortMap): Map<string, string> {
  const bytes = (key: number, count: number): Buffer => readItem(fwCfg, key, count);
  const directory = bytes(0x19, 4 + 64 * 32);
  return new Map(
    Array.from({ length: directory.readUInt32BE(0) }, (_, i) => {
      const entry = directory.subarray(4 + 64 * i, 68 + 64 * i);
      const name = entry.toString('latin1', 8).replace(/\0.*/s, '');
      return [name, bytes(entry.readUInt16BE(4), entry.readUInt32BE(0)).toString('hex')];
    }),
  );
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86') || !requireTool('nasm', 'nasm'))(
  'firmware configuration against QEMU',
  () => {
    for (const { title, qemu, ours } of BOARDS)
      it(`has the same files with ${title}`, () => {
        const guest = { bios: '', cpu: 'qemu32', memoryMiB: 64, shift: 3, acpi: true, ...qemu } as const;
        const expected = readFirmwareConfiguration(temporaryFolder(), guest);
        const ports = new PortMap();
        const fwCfg = new FwCfg(ports, new PhysicalMemory(1 << 20));
        const config = configure({ memory: '64M', nodefaults: !title.includes('display'), ...ours });
        describeFirmware(fwCfg, config, config.acpi ? { pmPorts: () => PM_PORTS } : null);
        const found = readFiles(ports);
        expect([...found.keys()]).toEqual([...expected.files.keys()].filter((name) => !name.startsWith('genroms/')));
        for (const key of [FW_CFG.BOOT_MENU, FW_CFG.NOGRAPHIC])
          expect(readItem(ports, key, 2), String(key)).toEqual(Buffer.from(expected.items.get(key)!.subarray(0, 2)));
        for (const [name, hex] of found) expect(hex === Buffer.from(expected.files.get(name)!).toString('hex'), name).toBe(true);
      });
  },
);
