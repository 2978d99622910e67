/** A character device as `info chardev` and `query-chardev` list it. */
export interface CharDeviceInfo {
  readonly label: string;
  readonly filename: string;
  /** Somebody in the machine or a monitor uses it. */
  readonly open: boolean;
}

/** As `info chardev` shows them. */
export function charDeviceLines(devices: readonly CharDeviceInfo[]): string[] {
  return devices.map(({ label, filename }) => `${label}: filename=${filename}`);
}

/** As `query-chardev` has one. */
export function charDeviceInfo({ label, filename, open }: CharDeviceInfo): object {
  return { 'frontend-open': open, filename, label };
}

/** The guest's mouse. QEMU numbers what takes input; its keyboard comes before. */
export const MICE = [{ index: 2, name: 'QEMU PS/2 Mouse', current: true, absolute: false }] as const;
