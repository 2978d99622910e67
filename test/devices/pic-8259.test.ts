// Oracle: Intel 8259A data sheet (231468), "Programming the 8259A"; 82371SB data sheet, ELCR
import { beforeEach, describe, expect, it } from 'vitest';
import { PicPair } from '../../devices/interrupt/pic-pair.js';
import { PortMap } from '../../src/memory/ports.js';

describe('8259A pair', () => {
  let ports: PortMap;
  let pic: PicPair;
  let int: boolean;

  const out = (port: number, ...values: number[]) => {
    for (const value of values) ports.write(port, value, 1);
  };
  const pulse = (irq: number) => {
    pic.setIrq(irq, true);
    pic.setIrq(irq, false);
  };

  beforeEach(() => {
    ports = new PortMap();
    int = false;
    pic = new PicPair(ports, {
      set: (level) => {
        int = level;
      },
    });
    pic.reset();
    out(0x20, 0x11);
    out(0x21, 0x20, 0x04, 0x01);
    out(0xa0, 0x11);
    out(0xa1, 0x28, 0x02, 0x01);
  });

  it('raises INT for an edge and gives the vector of ICW2 plus the line', () => {
    pulse(3);
    expect(int).toBe(true);
    expect(pic.acknowledge()).toBe(0x23);
    expect(int).toBe(false);
  });

  it('holds a lower priority back until the end of interrupt', () => {
    pulse(3);
    pic.acknowledge();
    pulse(5);
    expect(int).toBe(false);
    pulse(1);
    expect(int).toBe(true);
    expect(pic.acknowledge()).toBe(0x21);
    out(0x20, 0x20);
    expect(int).toBe(false);
    out(0x20, 0x20);
    expect(pic.acknowledge()).toBe(0x25);
  });

  it('serves the slave through line 2 with both in service', () => {
    pulse(12);
    expect(pic.acknowledge()).toBe(0x2c);
    out(0x20, 0x0b);
    out(0xa0, 0x0b);
    expect([ports.read(0x20, 1), ports.read(0xa0, 1)]).toEqual([0x04, 0x10]);
  });

  it('gives the spurious vector 7 when the request has gone', () => {
    expect(pic.acknowledge()).toBe(0x27);
    out(0x20, 0x0b);
    expect(ports.read(0x20, 1)).toBe(0);
  });

  it('masks by OCW1 and remembers the edge', () => {
    out(0x21, 0x08);
    pulse(3);
    expect(int).toBe(false);
    out(0x21, 0x00);
    expect(int).toBe(true);
  });

  it('requests a level-triggered line again after its end of interrupt while it stays up', () => {
    out(0x4d0, 0xff);
    expect(ports.read(0x4d0, 1)).toBe(0xf8);
    pic.setIrq(5, true);
    pic.acknowledge();
    out(0x20, 0x20);
    expect(int).toBe(true);
    pic.setIrq(5, false);
    expect(int).toBe(false);
  });

  it('rotates priorities with a rotating end of interrupt', () => {
    pulse(4);
    pic.acknowledge();
    out(0x20, 0xa0);
    pulse(4);
    pulse(5);
    expect(pic.acknowledge()).toBe(0x25);
  });

  it('answers a poll with the line and bit 7, and takes it into service', () => {
    pulse(6);
    out(0x20, 0x0c);
    expect(ports.read(0x20, 1)).toBe(0x86);
    out(0x20, 0x0c);
    expect(ports.read(0x20, 1)).toBe(0);
    out(0x20, 0x0b);
    expect(ports.read(0x20, 1)).toBe(0x40);
  });

  it('lets lower priorities in under the special mask', () => {
    pulse(3);
    pic.acknowledge();
    out(0x21, 0x08);
    out(0x20, 0x68);
    pulse(6);
    expect(pic.acknowledge()).toBe(0x26);
  });
});
