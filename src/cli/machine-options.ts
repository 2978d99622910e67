import type { Argv } from 'yargs';
import type { MachineArguments } from '../machine/config.js';

const GROUP = 'Machine options (spelled as QEMU spells them):';

/** Adds the machine options to a command. */
export function machineOptions<T>(argv: Argv<T>): Argv<T & MachineArguments> {
  const text = (describe: string) => ({ type: 'string' as const, describe, group: GROUP, requiresArg: true });
  const list = (describe: string) => ({ type: 'string' as const, array: true, nargs: 1, describe, group: GROUP });
  return argv
    .option('machine', text('Board: pc'))
    .option('cpu', text('Processor model: qemu32 or max; ,-apic leaves the local APIC out'))
    .option('memory', { ...text('RAM, such as 64M or 1G (default 128M)'), alias: 'm' })
    .option('bios', text('Firmware image, such as SeaBIOS bios-256k.bin'))
    .option('vgabios', text('Option ROM of the display, such as vgabios-stdvga.bin'))
    .option('kernel', text('Linux kernel (bzImage), started by firmware if there is --bios; or multiboot kernel, started directly'))
    .option('initrd', text('RAM disk of Linux; or multiboot modules: FILE[ ARGUMENTS][,FILE...]'))
    .option('append', text('Kernel command line'))
    .option('firmware-folder', { ...text("Folder with QEMU's linuxboot_dma.bin, to be used in place of our own"), alias: 'L' })
    .option('drive', list('Disk: file=PATH[,format=raw|qcow2][,if=ide|none][,index=N][,id=NAME]; never written to'))
    .option('backing-folder', list("Folder with backing files that images outside it may name, besides each disk's own folder"))
    .option('serial', list('Serial port: stdio, null or file:PATH; repeat for more ports'))
    .option('debugcon', text('Debug console on ports 0xe9 and 0x402: null, stdio or file:PATH [,iobase=PORT]'))
    .option('nodefaults', { type: 'boolean', describe: 'No display and no serial port unless asked for', group: GROUP })
    .option(
      'netdev',
      list('Network: user,id=ID[,net=ADDR/BITS][,host=][,dns=][,dhcpstart=][,restrict=on][,hostname=][,hostfwd=tcp::PORT-:PORT]'),
    )
    .option('nic', list('Network card and network in one: user,model=rtl8139[,mac=ADDR][,hostfwd=...]'))
    .option('net', list('none; or nic,model=rtl8139 and user'))
    .option('object', list('filter-replay,id=ID,netdev=ID: puts a name to what records a network; there is one without it, too'))
    .option('icount', text('Instruction clock: shift=N, an instruction takes 2^N ns (default shift=3)'))
    .option('rtc', text('Real-time clock: base=utc|DATE,clock=host|vm'))
    .option(
      'device',
      list(
        'ide-hd,drive=NAME; rtl8139,netdev=ID[,mac=ADDR][,romfile=FILE]; AC97,audiodev=NAME; isa-debug-exit,iobase=0xf4,iosize=4; and others',
      ),
    )
    .option(
      'audiodev',
      list('Where sound goes: none,id=NAME or wav,id=NAME[,path=FILE]; [,in.path=WAV][,out.frequency=HZ][,timer-period=US]'),
    )
    .option(
      'boot',
      text(
        'order=LETTERS (a floppy, c disk, d CD-ROM, n network), once=LETTERS, menu=on|off, splash-time=MS, strict=on|off, reboot-timeout=MS',
      ),
    )
    .option('no-reboot', { type: 'boolean', describe: 'A guest reset ends the run', group: GROUP }) as unknown as Argv<
    T & MachineArguments
  >;
}
