import { UserError } from '../core/errors.js';

/** Of a PCI bus. */
export const PCI_SLOTS = 32;

/** QEMU's `addr=SLOT` or `addr=SLOT.0`, in hexadecimal. Throws UserError. @param given the option that it is part of */
export function pciSlot(given: string, text: string): number {
  const match = /^(?:0x)?([0-9a-f]{1,2})(?:\.(\d))?$/i.exec(text);
  const slot = Number.parseInt(match?.[1] ?? '', 16);
  if (!(slot < PCI_SLOTS)) throw new UserError('bad-option', `${given}: addr=${text} is no PCI slot`);
  if ((match?.[2] ?? '0') !== '0') throw new UserError('not-supported', `${given}: addr=${text}: only function 0 is supported`);
  return slot;
}
