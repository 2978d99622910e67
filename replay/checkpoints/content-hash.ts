import { createHash } from 'node:crypto';

/** Hash of a content, 32 hex digits: what the digest of a machine has for a part or page. */
export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
