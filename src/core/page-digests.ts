import { hash } from 'node:crypto';

const PAGE = 4096;
/** Pages that one thread takes at a time: 1 MiB, some 4 ms. */
const CHUNK_PAGES = 256;
const ZERO_PAGE = new Uint8Array(PAGE);
/** What a digest has for a page or the state of a part: the first half of the SHA-256. */
export const SHORT_HASH_BYTES = 16;
/** Places in the states: the next chunk that nobody has taken; behind it, one for each chunk. */
const NEXT = 0;
const FIRST_CHUNK = 1;
const DONE = 1;

/** What threads that digest the same memory share. */
export interface PageDigestBoard {
  readonly memory: Uint8Array;
  /** SHORT_HASH_BYTES for each page. */
  readonly digests: SharedArrayBuffer;
  /** By page: 1 when it is not all zeros. */
  readonly present: SharedArrayBuffer;
  /** Int32s, see NEXT and FIRST_CHUNK. */
  readonly states: SharedArrayBuffer;
}

/** The digests of a memory's pages, chunk by chunk: each thread has its own object for the same board. */
export class PageDigests {
  readonly board: PageDigestBoard;
  private readonly memory: Uint8Array;
  private readonly digests: Uint8Array;
  private readonly present: Uint8Array;
  private readonly states: Int32Array;
  private readonly chunks: number;
  /** Pages digested by this object. */
  hashed = 0;

  constructor(board: PageDigestBoard) {
    this.board = board;
    this.memory = board.memory;
    this.digests = new Uint8Array(board.digests);
    this.present = new Uint8Array(board.present);
    this.states = new Int32Array(board.states);
    this.chunks = this.states.length - FIRST_CHUNK;
  }

  /** @param memory must not change until all is digested; in shared memory, when other threads are to help. */
  static of(memory: Uint8Array): PageDigests {
    const pages = Math.ceil(memory.length / PAGE);
    const chunks = Math.ceil(pages / CHUNK_PAGES);
    return new PageDigests({
      memory,
      digests: new SharedArrayBuffer(pages * SHORT_HASH_BYTES),
      present: new SharedArrayBuffer(pages),
      states: new SharedArrayBuffer((FIRST_CHUNK + chunks) * Int32Array.BYTES_PER_ELEMENT),
    });
  }

  /** Digests a chunk that nobody has taken; false: there is none any more. */
  digestNext(): boolean {
    const chunk = Atomics.add(this.states, NEXT, 1);
    if (chunk >= this.chunks) return false;
    this.digest(chunk);
    return true;
  }

  private digest(chunk: number): void {
    const { memory, present, digests } = this;
    const end = Math.min((chunk + 1) * CHUNK_PAGES, present.length);
    for (let page = chunk * CHUNK_PAGES; page < end; page++) {
      const bytes = memory.subarray(page * PAGE, (page + 1) * PAGE);
      if (Buffer.compare(bytes, ZERO_PAGE) === 0) continue;
      digests.set(hash('sha256', bytes, 'buffer').subarray(0, SHORT_HASH_BYTES), page * SHORT_HASH_BYTES);
      present[page] = 1;
      this.hashed++;
    }
    Atomics.store(this.states, FIRST_CHUNK + chunk, DONE);
    Atomics.notify(this.states, FIRST_CHUNK + chunk);
  }

  /** Waits for the chunks that others have taken; what takes them longer than `patienceMs` is done here. */
  finish(patienceMs: number): void {
    for (let chunk = 0; chunk < this.chunks; chunk++)
      if (Atomics.wait(this.states, FIRST_CHUNK + chunk, 0, patienceMs) === 'timed-out') this.digest(chunk);
  }

  /** The digests of the pages that are not all zeros, hex, by number. */
  result(): Map<number, string> {
    const { present } = this;
    const hex = Buffer.from(this.digests).toString('hex');
    const found = new Map<number, string>();
    for (let page = 0; page < present.length; page++)
      if (present[page] === 1) found.set(page, hex.slice(page * 2 * SHORT_HASH_BYTES, (page + 1) * 2 * SHORT_HASH_BYTES));
    return found;
  }
}
