import { UserError } from '../core/errors.js';

/** What QEMU's devices are that a command line may well name, and that this machine cannot have yet. */
const LACKING: readonly (readonly [what: string, drivers: RegExp])[] = [
  ['network card of that kind', /^(e1000.*|ne2k_.*|pcnet|i82\d+.*|virtio-net.*|vmxnet3|tulip|usb-net)$/],
  ['sound card of that kind', /^(es1370|sb16|adlib|gus|cs4231a|pcspk|hda|intel-hda|ich9-intel-hda|hda-.*|usb-audio)$/i],
  ['CD-ROM drive (ATAPI)', /^(ide-cd|scsi-cd)$/],
  ['floppy controller', /^(isa-fdc|floppy)$/],
  ['virtio device', /^virtio-.*$/],
  ['SCSI controller', /^(lsi.*|scsi-.*|megasas.*|am53c974|mptsas.*)$/],
  ['USB device of that kind', /^(usb-.*|.*-[uoex]hci.*|.*-uhci)$/],
];

/** Refuses a device that we lack, in one sentence. Throws UserError. @param given the option as it was given */
export function refuseLackingDevice(given: string, driver: string): void {
  const what = LACKING.find(([, drivers]) => drivers.test(driver))?.[0];
  if (what !== undefined) throw lacking(given, what);
}

/** The refusal of an option for a device that we lack. */
export function lacking(given: string, what: string): UserError {
  return new UserError('not-supported', `${given} is not supported: this machine has no ${what} yet`);
}
