// Longer than most: one cache, whose ways in (finding, decoding) and out (writes, a full cache) all keep the same lists of a page.
import { PAGE_SHIFT, PAGE_SIZE } from '../../src/memory/physical.js';
import { Block, isRelativeJump, NEVER, NOWHERE, setJump } from './block.js';
import { type CodePage, cover, isCovered, removeStart } from './code-page.js';
import type { CodeWatcher, Cpu } from './cpu.js';
import { decodeInsn, MAX_INSN_LENGTH } from './decoder.js';
import type { ExecutedCode } from './executed-code.js';
import { END_JUMP, END_NONE, type Insn } from './insn.js';
import { InsnPool } from './insn-pool.js';
import { fetchIo8, protectCodePage, resolveExecute } from './mmu.js';
import { MODE_BREAKPOINTS, MODE_CPL, MODE_INHIBIT, MODE_TF } from './mode.js';
import { CS, EIP, LEFT, SEG_BASE } from './regs.js';
import type { ThreadedCode } from './threaded/threaded-code.js';
import type { EntryTable } from './translate/entry-table.js';
import type { TranslatableBlock, Translation } from './translate/translation.js';

/** Mode bits that decoded code does not depend on. */
const TRANSIENT_MODE = MODE_TF | MODE_INHIBIT | MODE_BREAKPOINTS;
/** QEMU ends a TB after as many instructions. */
const MAX_INSNS = 512;
/** In pages whose code is written again and again, blocks are kept short: most of a long one would be decoded in vain. */
const MAX_INSNS_REWRITTEN = 8;
const REWRITTEN = 8;
/** After so many lost translations nothing of the page is translated any more. */
const HOPELESS = 256;
const JUMP_CACHE_SIZE = 1 << 14;
/** Decoded blocks at most, each about 1 kB with what belongs to it. A boot of Debian has 119,000. */
const CAPACITY = 1 << 18;
const INTO = 0xce;

/** What a cache of blocks holds. */
export interface BlockStatistics {
  /** Decoded blocks (those that lie in two pages twice). */
  readonly blocks: number;
  /** Pages with blocks. */
  readonly pages: number;
  /** Pages whose code is written again and again: their blocks are kept short. */
  readonly rewritten: number;
  /** Pages of which nothing is translated any more. */
  readonly givenUp: number;
}

/** All decoded blocks, by backing address, mode and EIP; kept in step with memory and with what linear addresses mean. */
export class BlockCache implements CodeWatcher {
  private readonly cpu: Cpu;
  private readonly hot: number;
  private readonly pages: (CodePage | undefined)[];
  private readonly jump: Block[];
  private readonly window = new Uint8Array(MAX_INSN_LENGTH + 1);
  private readonly pool = new InsnPool();

  /** Packed forms of blocks; null: there are none. */
  threaded: ThreadedCode | null = null;
  /** Translations that can be entered; null: nothing is translated. */
  entries: EntryTable | null = null;
  /** Collects what is executed; null: nobody wants to know. */
  executed: ExecutedCode | null = null;
  /** Decoded blocks at most (those that lie in two pages count twice); beyond, an eighth of them are dropped. */
  capacity = CAPACITY;
  private kept = 0;
  /** Where the page is that is dropped next when there are too many blocks. */
  private hand = 0;
  /** Blocks are noted as executed once in each. */
  private era = 0;

  /** @param hot executions after which a new block comes up for translation. */
  constructor(cpu: Cpu, hot: number) {
    this.cpu = cpu;
    this.hot = hot;
    this.pages = new Array(cpu.memory.codePage.length);
    const none = new Block(0, -1, -1, NEVER);
    this.jump = new Array<Block>(JUMP_CACHE_SIZE).fill(none);
    cpu.codeWatcher = this;
    cpu.memory.onCodeWrite = (page) => this.dropPage(page);
  }

  /** The block at CS:EIP in the current mode, decoded when there is none. Throws the guest fault of a failed fetch, made uncounted. */
  find(): Block {
    const cpu = this.cpu;
    const r = cpu.r;
    const eip = r[EIP];
    const laddr = (eip + r[SEG_BASE + CS]) | 0;
    const mode = cpu.mode & ~TRANSIENT_MODE;
    const block = this.jump[(laddr ^ (laddr >>> 14)) & (JUMP_CACHE_SIZE - 1)];
    const known = block.eip === eip && block.mode === mode && block.laddr === laddr && block.era === this.era;
    if (known && (isAt(cpu, block) || this.crossesThere(block))) return block;
    return this.findSlow(eip, laddr);
  }

  /** Whether both pages of a block of two are mapped as they were. */
  private crossesThere({ valid, laddr, paddr, secondPage, mode }: Block): boolean {
    if (secondPage < 0 || !valid) return false;
    const tlb = executeTlb(this.cpu, mode);
    const second = secondPageOf(laddr);
    const backing = secondPage << PAGE_SHIFT;
    return ((tlb[laddr >>> 12] + laddr) | 0) === (paddr | 0) && ((tlb[second >>> 12] + second) | 0) === backing;
  }

  /** `find` behind a block that left CS and the mode alone: most blocks go on at one of two. */
  behind(block: Block): Block {
    const { cpu } = this;
    const eip = cpu.r[EIP];
    const next = block.behind.eip === eip ? block.behind : block.behindBefore;
    const known = next.eip === eip && next.mode === block.mode && next.era === this.era;
    if (known && next.laddr === ((eip + cpu.r[SEG_BASE + CS]) | 0) && isAt(cpu, next)) return next;
    const found = this.find();
    if (found !== block.behind) {
      block.behindBefore = block.behind;
      block.behind = found;
    }
    return found;
  }

  private findSlow(eip: number, laddr: number): Block {
    const cpu = this.cpu;
    // As if the instruction had begun: a fetch fault gives LEFT back and finds EIP.
    cpu.insnEip = eip;
    cpu.r[LEFT]--;
    const block = this.lookup(eip, laddr);
    cpu.r[LEFT]++;
    const isNoted = block.era === this.era && block.laddr === laddr;
    block.laddr = laddr;
    if (block.paddr >= 0) {
      if (block.secondPage < 0) block.at = block.paddr | 0;
      this.jump[(laddr ^ (laddr >>> 14)) & (JUMP_CACHE_SIZE - 1)] = block;
    }
    if (!isNoted) this.noteExecuted(block);
    return block;
  }

  /** From now on all that is executed is noted, and looked at for breakpoints, once more. */
  beginEra(): void {
    this.era++;
    if (this.threaded !== null) this.threaded.era = this.era;
    if (this.entries !== null) this.entries.era = this.era;
  }

  /** A block that was just found, or the translation that it has been given since, is about to be entered. */
  noteExecuted(block: Block): void {
    block.era = this.era;
    this.threaded?.noted(block);
    const { executed } = this;
    if (executed === null) return;
    if (block.compiled === null) executed.add(block.laddr, block.lengthBytes);
    else this.noteAll(block.members);
  }

  /** The same for a block that comes up: its translation may be new, or not the block's yet. */
  noteEntered(block: Block, training: Translation | null): void {
    if (this.executed === null) return;
    if (training === null) {
      if (block.era !== this.era) this.noteExecuted(block);
    } else if (training.era !== this.era || training.laddr !== block.laddr) {
      training.era = this.era;
      training.laddr = block.laddr;
      this.noteAll(training.tbs);
    }
  }

  /** Blocks in the current code segment are about to be executed. */
  private noteAll(blocks: readonly TranslatableBlock[]): void {
    const base = this.cpu.r[SEG_BASE + CS];
    for (const { eip, insns } of blocks) this.executed?.add(eip + base, lengthOf(insns));
  }

  private lookup(eip: number, laddr: number): Block {
    const cpu = this.cpu;
    const mode = cpu.mode & ~TRANSIENT_MODE;
    const paddr = resolveExecute(cpu, laddr);
    if (paddr < 0) return this.decodeFromDevice(eip, mode, laddr);
    const page = this.pages[paddr >>> PAGE_SHIFT];
    let block = page?.starts.get(key(paddr, mode)) ?? null;
    while (block !== null && block.eip !== eip) block = block.next;
    if (block !== null) {
      if (block.secondPage < 0 || resolveExecute(cpu, secondPageOf(laddr)) >>> PAGE_SHIFT === block.secondPage) return block;
      this.drop(block);
    }
    return this.decode(eip, mode, laddr, paddr);
  }

  private decode(eip: number, mode: number, laddr: number, paddr: number): Block {
    const block = new Block(eip, mode, paddr, this.hot);
    const room = PAGE_SIZE - (paddr & (PAGE_SIZE - 1));
    const page = this.pages[paddr >>> PAGE_SHIFT];
    const limit = page !== undefined && page.rewrites > REWRITTEN ? MAX_INSNS_REWRITTEN : MAX_INSNS;
    if (page !== undefined && page.lost > HOPELESS) block.due = NEVER;
    const insns: Insn[] = [];
    for (;;) {
      const left = room - block.lengthBytes;
      const insn = left > MAX_INSN_LENGTH ? decodeInsn(this.cpu.memory.u8, paddr + block.lengthBytes, mode) : this.decodeNear(block, left);
      if (insn === null || insn.length > left) {
        // It crosses the page: not part of this block, unless it is the first.
        if (insns.length === 0) insns.push(this.decodeCrossing(block, laddr, left));
        break;
      }
      insns.push(this.pool.shared(insn));
      block.lengthBytes += insn.length;
      if (insn.end !== END_NONE || block.lengthBytes === room) break;
      block.cutShort = insns.length === limit;
      if (block.cutShort) break;
    }
    // A copy, without room for more.
    block.insns = insns.slice();
    const last = block.insns[block.insns.length - 1];
    block.quiet = last.end <= END_JUMP;
    block.straight = block.insns.length;
    block.count = block.insns.length;
    block.hasInto = block.insns.some((i) => i.opcode === INTO && i.row.map === '1');
    if (isRelativeJump(last)) setJump(block, last);
    this.keep(block);
    return block;
  }

  /** Decodes within the last 15 bytes of a page; null when the instruction needs more. */
  private decodeNear(block: Block, left: number): Insn | null {
    const from = block.paddr + block.lengthBytes;
    this.window.fill(0);
    this.window.set(this.cpu.memory.u8.subarray(from, from + left));
    const insn = decodeInsn(this.window, 0, block.mode);
    // A decoder that found too many bytes says 15; the sixteenth lies in the next page then.
    return insn.length > left || isTooLong(insn) ? null : insn;
  }

  private decodeCrossing(block: Block, laddr: number, left: number): Insn {
    const second = resolveExecute(this.cpu, secondPageOf(laddr));
    if (second >= 0) this.window.set(this.cpu.memory.u8.subarray(second, second + MAX_INSN_LENGTH + 1 - left), left);
    else for (let k = left; k <= MAX_INSN_LENGTH; k++) this.window[k] = fetchIo8(this.cpu, (laddr + k) | 0);
    const insn = decodeInsn(this.window, 0, block.mode);
    block.lengthBytes = insn.length;
    block.secondPage = second >= 0 ? second >>> PAGE_SHIFT : -1;
    return insn;
  }

  private decodeFromDevice(eip: number, mode: number, laddr: number): Block {
    const block = new Block(eip, mode, -1, NEVER);
    for (let k = 0; k <= MAX_INSN_LENGTH; k++) this.window[k] = fetchIo8(this.cpu, (laddr + k) | 0);
    const insn = decodeInsn(this.window, 0, mode);
    block.insns = [insn];
    block.lengthBytes = insn.length;
    block.straight = 1;
    block.count = 1;
    block.due = NEVER;
    return block;
  }

  private keep(block: Block): void {
    if (this.kept >= this.capacity) this.makeRoom();
    const first = this.pageAt(block.paddr >>> PAGE_SHIFT);
    const k = key(block.paddr, block.mode);
    block.next = first.starts.get(k) ?? null;
    first.starts.set(k, block);
    const at = block.paddr & (PAGE_SIZE - 1);
    first.blocks.push(block);
    this.kept++;
    cover(first, at, Math.min(at + block.lengthBytes, PAGE_SIZE));
    if (block.secondPage < 0) return;
    const second = this.pageAt(block.secondPage);
    second.blocks.push(block);
    this.kept++;
    cover(second, 0, at + block.lengthBytes - PAGE_SIZE);
  }

  private pageAt(number: number): CodePage {
    let page = this.pages[number];
    if (page === undefined) {
      page = { starts: new Map(), blocks: [], covered: new Uint8Array(PAGE_SIZE / 8), rewrites: 0, lost: 0 };
      this.pages[number] = page;
    }
    if (page.blocks.length === 0) {
      this.cpu.memory.codePage[number] = 1;
      protectCodePage(this.cpu, number);
    }
    return page;
  }

  /** How often the engine came to a block. */
  hits(block: Block): number {
    if (this.threaded !== null) block.hits += this.threaded.settle(block);
    this.entries?.settle(block);
    return block.hits;
  }

  /** A block of the mode and code segment of `near` that was found at `eip` lately; its mapping may have changed since. */
  recent(near: Block, eip: number): Block | null {
    const laddr = (eip + near.laddr - near.eip) | 0;
    const block = this.jump[(laddr ^ (laddr >>> 14)) & (JUMP_CACHE_SIZE - 1)];
    return block.laddr === laddr && block.eip === eip && block.mode === near.mode && block.valid ? block : null;
  }

  /** A block of the same mode at `eip`, if there is one in the page of `near`; address and mapping are then as valid as those of `near`. */
  neighbour(near: Block, eip: number): Block | null {
    const at = near.paddr + ((eip - near.eip) | 0);
    if (at >>> PAGE_SHIFT !== near.paddr >>> PAGE_SHIFT) return null;
    let block = this.pages[at >>> PAGE_SHIFT]?.starts.get(key(at, near.mode)) ?? null;
    while (block !== null && block.eip !== eip) block = block.next;
    return block;
  }

  /** The CPU is about to write: blocks with one of these bytes are dropped, and what runs of them ends behind this instruction. */
  storeTo(backing: number, size: number): void {
    const number = backing >>> PAGE_SHIFT;
    const page = this.pages[number];
    const from = backing & (PAGE_SIZE - 1);
    if (page === undefined || !isCovered(page, from, from + size)) return;
    page.rewrites++;
    for (const block of page.blocks.slice()) {
      const start = block.paddr >>> PAGE_SHIFT === number ? block.paddr & (PAGE_SIZE - 1) : 0;
      const end = block.secondPage === number ? (block.paddr & (PAGE_SIZE - 1)) + block.lengthBytes - PAGE_SIZE : start + block.lengthBytes;
      if (from >= end || from + size <= start) continue;
      if (block.users.length > 0) page.lost++;
      this.unlink(block);
    }
    this.recover(number);
    this.cpu.breakBlock = true;
  }

  /** Somebody else wrote to the page. */
  private dropPage(number: number): void {
    if (this.pages[number] === undefined) return;
    this.forgetPage(number);
    this.cpu.breakBlock = true;
  }

  private forgetPage(number: number): void {
    const page = this.pages[number];
    if (page === undefined || page.blocks.length === 0) return;
    for (const block of page.blocks.slice()) this.unlink(block);
    this.recover(number);
  }

  /** Drops the blocks of one page after the other, an eighth of all: those still needed are soon decoded again, and there is no moment when everything is gone. */
  private makeRoom(): void {
    const enough = Math.floor((this.capacity * 7) / 8);
    while (this.kept > enough) {
      this.forgetPage(this.hand);
      this.hand = (this.hand + 1) % this.pages.length;
    }
  }

  private drop(block: Block): void {
    this.unlink(block);
    this.recover(block.paddr >>> PAGE_SHIFT);
  }

  /** Makes the block impossible to find. The page's coverage may name too much afterwards: `recover`. */
  private unlink(block: Block): void {
    block.valid = false;
    block.at = NOWHERE;
    // An unknown entry of the TLB, -1, leads from 0 to NOWHERE; from here none does.
    block.laddr = 1;
    block.compiled = block.pending = null;
    this.threaded?.forget(block);
    this.entries?.forget(block);
    for (const entry of block.users) {
      this.entries?.forget(entry);
      entry.compiled = entry.pending = null;
      if (entry.due !== NEVER) entry.due = entry.hits + this.hot;
    }
    block.users = [];
    block.behind = block.behindBefore = block;
    const number = block.paddr >>> PAGE_SHIFT;
    removeStart(this.pages[number]!.starts, key(block.paddr, block.mode), block);
    this.removeFrom(number, block);
    if (block.secondPage < 0) return;
    this.removeFrom(block.secondPage, block);
    this.recover(block.secondPage);
    this.recover(number);
  }

  private removeFrom(number: number, block: Block): void {
    const { blocks } = this.pages[number]!;
    const at = blocks.indexOf(block);
    const last = blocks.pop()!;
    this.kept--;
    if (at < blocks.length) blocks[at] = last;
  }

  /** Works out anew which bytes of the page are code. */
  private recover(number: number): void {
    const page = this.pages[number]!;
    page.covered.fill(0);
    if (page.blocks.length === 0) this.cpu.memory.codePage[number] = 0;
    for (const b of page.blocks) {
      const start = b.paddr & (PAGE_SIZE - 1);
      if (b.paddr >>> PAGE_SHIFT === number) cover(page, start, Math.min(start + b.lengthBytes, PAGE_SIZE));
      if (b.secondPage === number) cover(page, 0, start + b.lengthBytes - PAGE_SIZE);
    }
  }

  /** How much is kept now: for statistics. */
  statistics(): BlockStatistics {
    const pages = this.pages.filter((p) => p !== undefined);
    return {
      blocks: pages.reduce((n, p) => n + p.blocks.length, 0),
      pages: pages.filter((p) => p.blocks.length > 0).length,
      rewritten: pages.filter((p) => p.rewrites > REWRITTEN).length,
      givenUp: pages.filter((p) => p.lost > HOPELESS).length,
    };
  }
}

function executeTlb(cpu: Cpu, mode: number): Int32Array {
  return (mode & MODE_CPL) === MODE_CPL ? cpu.userExecute : cpu.supervisorExecute;
}

/**
 * Whether the execute TLB leads from the linear address that a block of the current mode was found at to its code. Entries that are unknown or
 * slow have low bits which no backing address of that linear address has.
 */
function isAt(cpu: Cpu, { at, laddr, mode }: Block): boolean {
  return ((executeTlb(cpu, mode)[laddr >>> 12] + laddr) | 0) === at;
}

/** Fits 29 bits. */
function key(paddr: number, mode: number): number {
  return ((mode & 0x1ffff) << PAGE_SHIFT) | (paddr & (PAGE_SIZE - 1));
}

function lengthOf(insns: readonly Insn[]): number {
  let length = 0;
  for (const insn of insns) length += insn.length;
  return length;
}

function secondPageOf(laddr: number): number {
  return ((laddr | 0xfff) + 1) | 0;
}

function isTooLong(insn: Insn): boolean {
  return insn.row.name === '(too long)';
}
