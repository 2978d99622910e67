/** A frame in an AUDIO_IN event: left, then right sample, signed 64-bit big-endian. */
const FRAME_BYTES = 16;
const SAMPLE_BYTES = 8;

/** Recorded samples as AUDIO_IN has them. @param samples left and right in turn */
export function samplesToLog(samples: Int32Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * SAMPLE_BYTES);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, i) => {
    view.setInt32(i * SAMPLE_BYTES, sample >> 31);
    view.setInt32(i * SAMPLE_BYTES + 4, sample);
  });
  return bytes;
}

/** The samples of an AUDIO_IN event; null when one of them is no sample of 32 bits. */
export function samplesFromLog(bytes: Uint8Array): Int32Array | null {
  const samples = new Int32Array((bytes.length / FRAME_BYTES) * 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < samples.length; i++) {
    const sample = view.getInt32(i * SAMPLE_BYTES + 4);
    if (view.getInt32(i * SAMPLE_BYTES) !== sample >> 31) return null;
    samples[i] = sample;
  }
  return samples;
}
