import type { Cpu } from './cpu.js';
import { loadSys16, loadSys32, storeSys16, storeSys32 } from './mmu.js';

/**
 * A stack being pushed to or popped from by a far transfer or an interrupt: supervisor accesses, ESP committed by the caller at the end.
 * One object per use in progress; far transfers do not nest.
 */
export class FarStack {
  base = 0;
  pointer = 0;
  mask = -1;

  at(base: number, pointer: number, mask: number): this {
    this.base = base;
    this.pointer = pointer;
    this.mask = mask;
    return this;
  }

  push(cpu: Cpu, value: number, wide: boolean): void {
    if (wide) {
      this.pointer = (this.pointer - 4) | 0;
      storeSys32(cpu, (this.base + (this.pointer & this.mask)) | 0, value);
    } else {
      this.pointer = (this.pointer - 2) | 0;
      storeSys16(cpu, (this.base + (this.pointer & this.mask)) | 0, value & 0xffff);
    }
  }

  pop(cpu: Cpu, wide: boolean): number {
    const laddr = (this.base + (this.pointer & this.mask)) | 0;
    const value = wide ? loadSys32(cpu, laddr) : loadSys16(cpu, laddr);
    this.pointer = (this.pointer + (wide ? 4 : 2)) | 0;
    return value;
  }
}
