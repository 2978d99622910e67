/** Longest JSON value that is taken, in characters. */
export const MAX_JSON_CHARACTERS = 1 << 20;

/** Cuts a stream of JSON values into values: one ends where its brackets close, or with its line. */
export class JsonSplitter {
  private text = '';
  private depth = 0;
  private inString = false;
  private escaped = false;
  private skipping = false;

  /** The values that a piece of text completes; null stands for one that was too long. */
  take(piece: string): (string | null)[] {
    const found: (string | null)[] = [];
    for (const c of piece) {
      if (this.skipping) {
        if (c === '\n') this.skipping = false;
        continue;
      }
      this.step(c);
      if (this.depth === 0 && !this.inString && (c === '}' || c === ']' || c === '\n')) {
        if (this.text.trim() !== '') found.push(this.text.trim());
        this.begin();
      } else if (this.text.length > MAX_JSON_CHARACTERS) {
        found.push(null);
        this.begin();
        this.skipping = true;
      }
    }
    return found;
  }

  private begin(): void {
    this.text = '';
    this.depth = 0;
    this.inString = this.escaped = false;
  }

  private step(c: string): void {
    this.text += c;
    if (this.inString) {
      if (c === '\n') this.inString = this.escaped = false;
      else if (this.escaped) this.escaped = false;
      else if (c === '\\') this.escaped = true;
      else if (c === '"') this.inString = false;
    } else if (c === '"') this.inString = true;
    else if (c === '{' || c === '[') this.depth++;
    else if (c === '}' || c === ']') this.depth = Math.max(0, this.depth - 1);
  }
}
