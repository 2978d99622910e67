// Oracle: Intel SDM volume 3, chapter "Advanced programmable interrupt controller"; 82093AA data sheet
import { beforeEach, describe, expect, it } from 'vitest';
import * as requests from '../../devices/interrupt/cpu-requests.js';
import { acknowledgeInterrupt } from '../../devices/interrupt/pic-to-cpu.js';
import * as cpu from '../../jit/x86/cpu.js';
import { IsaBoard } from './isa-board.js';

const APIC = 0xfee00000;
const IOAPIC = 0xfec00000;
const { REQUEST_HARD, REQUEST_NMI } = requests;

describe('local APIC and I/O APIC', () => {
  let board: IsaBoard;
  const read = (offset: number) => board.memory.read(APIC + offset, 4);
  const write = (offset: number, value: number) => board.memory.write(APIC + offset, value >>> 0, 4);
  const redirect = (pin: number, low: number, high = 0) => {
    board.memory.write(IOAPIC, 0x10 + pin * 2 + 1, 4);
    board.memory.write(IOAPIC + 0x10, high, 4);
    board.memory.write(IOAPIC, 0x10 + pin * 2, 4);
    board.memory.write(IOAPIC + 0x10, low, 4);
  };
  const entry = (pin: number) => {
    board.memory.write(IOAPIC, 0x10 + pin * 2, 4);
    return board.memory.read(IOAPIC + 0x10, 4);
  };
  const take = () => {
    board.requests &= ~REQUEST_HARD;
    return acknowledgeInterrupt(board.pic, board.apic);
  };
  const selfIpi = (vector: number) => write(0x300, 0x40000 | vector);

  beforeEach(() => {
    board = new IsaBoard();
    write(0xf0, 0x1ff);
  });

  it('numbers its requests as the processor does', () => {
    for (const [name, value] of Object.entries(requests)) expect([name, (cpu as Record<string, unknown>)[name]]).toEqual([name, value]);
  });

  it('reports version 14h with 6 local vector table entries', () => {
    expect(read(0x30)).toBe(0x00050014);
  });

  it('delivers the highest vector first and moves it into service', () => {
    selfIpi(0x31);
    selfIpi(0x52);
    expect(board.requests).toBe(REQUEST_HARD);
    expect(take()).toBe(0x52);
    expect(read(0x120)).toBe(1 << 0x12);
    expect(board.requests).toBe(0);
    expect(read(0xa0)).toBe(0x50);
    write(0xb0, 0);
    expect(board.requests).toBe(REQUEST_HARD);
    expect(take()).toBe(0x31);
  });

  it('holds vectors back whose class is not above the task priority', () => {
    write(0x80, 0x50);
    selfIpi(0x5f);
    expect(board.requests).toBe(0);
    selfIpi(0x60);
    expect(take()).toBe(0x60);
    write(0xb0, 0);
    write(0x80, 0x40);
    expect(take()).toBe(0x5f);
  });

  it('gives the spurious vector when the task priority rose after the request', () => {
    selfIpi(0x40);
    write(0x80, 0xff);
    expect(take()).toBe(0xff);
    expect(read(0x200 + 0x20)).toBe(1);
  });

  it('counts its timer down at 1 GHz through the divider, once or periodically', () => {
    write(0x3e0, 0x0b);
    write(0x320, 0x30);
    write(0x380, 1000);
    board.run(400);
    expect(read(0x390)).toBe(600);
    board.run(600);
    expect(board.requests).toBe(0);
    board.run(1);
    expect(take()).toBe(0x30);
    expect(read(0x390)).toBe(0);
    write(0xb0, 0);
    write(0x3e0, 0x00);
    write(0x320, 0x20031);
    write(0x380, 99);
    board.run(200);
    expect(take()).toBe(0x31);
    write(0xb0, 0);
    board.run(199);
    expect(board.requests).toBe(0);
    board.run(1);
    expect(take()).toBe(0x31);
  });

  it('lets 8259A interrupts through LINT0 only when it is unmasked as ExtINT, and before its own', () => {
    board.out(0x20, 0x11);
    for (const icw of [0x20, 4, 1, 0]) board.out(0x21, icw);
    board.pic.setIrq(1, true);
    expect(board.requests).toBe(0);
    write(0x350, 0x700);
    expect(board.requests).toBe(REQUEST_HARD);
    selfIpi(0x80);
    expect(take()).toBe(0x21);
    expect(take()).toBe(0x80);
    expect(take()).toBe(0x27);
  });

  it('stays off once it is switched off, and still passes 8259A interrupts at LINT0', () => {
    write(0x350, 0x700);
    board.apic.writeBase(0xfee00000);
    board.pic.setIrq(1, true);
    expect(board.requests).toBe(REQUEST_HARD);
    board.apic.writeBase(0xfee00900);
    expect(board.apic.readBase()).toBe(0xfee00100);
  });

  it('sends NMI through a local vector table entry whatever the vector', () => {
    write(0x360, 0x400);
    board.apic.setNmi();
    expect(board.requests).toBe(REQUEST_NMI);
  });

  it('asks for a poll instead when the change comes from the main loop', () => {
    const raised: number[] = [];
    const apic = Object.assign(Object.create(board.apic), {
      cpu: { raise: (bits: number) => raised.push(bits), lower() {}, onCpuSide: () => false },
    });
    apic.message(0, 0x45);
    expect(raised).toEqual([requests.REQUEST_POLL]);
    board.apic.poll();
    expect(board.requests).toBe(REQUEST_HARD);
  });

  it('brings IRQ 0 in on pin 2 and drops edges on masked pins', () => {
    board.ioapic.setIrq(0, true);
    redirect(2, 0x33);
    expect(board.requests).toBe(0);
    board.ioapic.setIrq(0, false);
    board.ioapic.setIrq(0, true);
    expect(take()).toBe(0x33);
  });

  it('sends a level-triggered interrupt again after EOI while the pin is up', () => {
    redirect(10, 0x8044);
    board.ioapic.setIrq(10, true);
    expect(take()).toBe(0x44);
    expect(entry(10)).toBe(0xc044);
    write(0xb0, 0);
    expect(take()).toBe(0x44);
    board.ioapic.setIrq(10, false);
    write(0xb0, 0);
    expect(entry(10)).toBe(0x8044);
    expect(board.requests).toBe(0);
  });

  it('delivers to physical, broadcast and flat logical destinations only', () => {
    redirect(11, 0x50, 0x01000000);
    board.ioapic.setIrq(11, true);
    expect(board.requests).toBe(0);
    redirect(11, 0x50, 0xff000000);
    board.ioapic.setIrq(11, true);
    expect(take()).toBe(0x50);
    write(0xb0, 0);
    write(0xd0, 0x04000000);
    redirect(11, 0x851, 0x06000000);
    board.ioapic.setIrq(11, true);
    expect(take()).toBe(0x51);
  });
});
