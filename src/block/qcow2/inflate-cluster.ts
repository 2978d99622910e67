import { constants, inflateRawSync } from 'node:zlib';

/**
 * Expands a compressed cluster: a deflate stream without header, followed by bytes of no meaning. Null: it does not give exactly one cluster.
 * @param data as much of the file as the L2 entry says
 */
export function inflateCluster(data: Uint8Array, clusterBytes: number): Uint8Array | null {
  try {
    const cluster = inflateRawSync(data, { maxOutputLength: clusterBytes, finishFlush: constants.Z_SYNC_FLUSH });
    return cluster.length === clusterBytes ? cluster : null;
  } catch {
    return null;
  }
}
