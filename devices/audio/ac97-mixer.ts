import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import type { AudioEngine } from './audio-engine.js';

/** Voices by their bus master channel (Intel 82801AA data sheet, section 13.2): PCM in, PCM out, microphone. */
export const PCM_IN = 0;
export const PCM_OUT = 1;
export const MIC_IN = 2;
/** Their numbers among the engine's recording voices. */
export const CAPTURE_STREAM: Readonly<Record<number, number>> = { [PCM_IN]: 0, [MIC_IN]: 1 };

/** Registers (AC '97 Component Specification 2.1, section 6.3). */
const RESET = 0x00;
const MASTER_VOLUME = 0x02;
const PCM_OUT_VOLUME = 0x18;
const RECORD_SELECT = 0x1a;
const RECORD_GAIN = 0x1c;
const POWERDOWN = 0x26;
const EXTENDED_AUDIO_ID = 0x28;
const EXTENDED_AUDIO_CONTROL = 0x2a;
const FRONT_DAC_RATE = 0x2c;
const SURROUND_DAC_RATE = 0x2e;
const LFE_DAC_RATE = 0x30;
const LR_ADC_RATE = 0x32;
const MIC_ADC_RATE = 0x34;
const VENDOR_ID1 = 0x7c;
const VENDOR_ID2 = 0x7e;
/** Registers of features that the codec does not have, QEMU's SigmaTel ones among them: writes vanish. */
const WITHOUT_EFFECT = [0x04, 0x06, 0x08, 0x0a, 0x0c, 0x0e, 0x10, 0x12, 0x14, 0x16, 0x1e, 0x20, 0x22, 0x6c, 0x6e];

const MUTE = 0x8000;
/** Variable rate of PCM, of the microphone. */
const VRA = 1;
const VRM = 8;
const NOMINAL_HZ = 48000;

/** What the registers hold after a reset, but for those that are 0 and the volumes: a SigmaTel STAC9700. */
const AT_RESET: readonly (readonly [number, number])[] = [
  [POWERDOWN, 0x000f],
  [VENDOR_ID1, 0x8384],
  [VENDOR_ID2, 0x7600],
  [EXTENDED_AUDIO_ID, 0x0809],
  [EXTENDED_AUDIO_CONTROL, 0x0009],
  ...[FRONT_DAC_RATE, SURROUND_DAC_RATE, LFE_DAC_RATE, LR_ADC_RATE, MIC_ADC_RATE].map((register) => [register, NOMINAL_HZ] as const),
];

/** The codec behind the controller: its 16-bit registers, which set the rates and volumes of the voices. */
export class Ac97Mixer implements StatefulPart {
  readonly schema: StateSchema = { name: 'ac97-mixer', version: 1, fields: { registers: 'bytes' } };
  readonly registers = new Uint8Array(256);
  private readonly audio: AudioEngine;

  constructor(audio: AudioEngine) {
    this.audio = audio;
  }

  /** A write to register 0, or the reset of the machine. Volumes are set before rates: a voice that gets another rate is loud. */
  reset(): void {
    this.registers.fill(0);
    for (const [register, value] of AT_RESET) this.store(register, value);
    this.setVolume(MASTER_VOLUME, 0x8000);
    this.setVolume(PCM_OUT_VOLUME, 0x8808);
    this.setVolume(RECORD_GAIN, 0x8808);
    for (const voice of [PCM_IN, PCM_OUT, MIC_IN]) {
      this.openVoice(voice, NOMINAL_HZ);
      this.setActive(voice, false);
    }
  }

  /** Value of the 16-bit register at a byte offset; ones where there is none. */
  read(offset: number): number {
    return offset + 2 > this.registers.length ? 0xffff : this.registers[offset]! | (this.registers[offset + 1]! << 8);
  }

  write(offset: number, value: number): void {
    if (WITHOUT_EFFECT.includes(offset)) return;
    switch (offset) {
      case RESET:
        return this.reset();
      case POWERDOWN:
        return this.store(offset, (value & ~0x800f) | (this.read(offset) & 0xf));
      case MASTER_VOLUME:
      case PCM_OUT_VOLUME:
      case RECORD_GAIN:
        return this.setVolume(offset, value);
      case RECORD_SELECT:
        return this.store(offset, value & 0x0707);
      case VENDOR_ID1:
      case VENDOR_ID2:
      case EXTENDED_AUDIO_ID:
        return;
      case EXTENDED_AUDIO_CONTROL:
        return this.setVariableRates(value);
      case FRONT_DAC_RATE:
        return this.setRate(offset, value, VRA, PCM_OUT);
      case LR_ADC_RATE:
        return this.setRate(offset, value, VRA, PCM_IN);
      case MIC_ADC_RATE:
        return this.setRate(offset, value, VRM, MIC_IN);
      default:
        this.store(offset, value);
    }
  }

  /** Starts or stops a voice. */
  setActive(voice: number, on: boolean): void {
    if (voice === PCM_OUT) this.audio.playback.setActive(on);
    else this.audio.capture.setActive(CAPTURE_STREAM[voice]!, on);
  }

  private store(offset: number, value: number): void {
    if (offset + 2 > this.registers.length) return;
    this.registers[offset] = value;
    this.registers[offset + 1] = value >> 8;
  }

  private setVariableRates(value: number): void {
    if ((value & VRA) === 0) {
      this.store(FRONT_DAC_RATE, NOMINAL_HZ);
      this.store(LR_ADC_RATE, NOMINAL_HZ);
      this.openVoice(PCM_IN, NOMINAL_HZ);
      this.openVoice(PCM_OUT, NOMINAL_HZ);
    }
    if ((value & VRM) === 0) {
      this.store(MIC_ADC_RATE, NOMINAL_HZ);
      this.openVoice(MIC_IN, NOMINAL_HZ);
    }
    this.store(EXTENDED_AUDIO_CONTROL, value);
  }

  private setRate(register: number, hz: number, enabling: number, voice: number): void {
    if ((this.read(EXTENDED_AUDIO_CONTROL) & enabling) === 0) return;
    this.store(register, hz);
    this.openVoice(voice, hz);
  }

  /** @param hz 0 closes the voice */
  private openVoice(voice: number, hz: number): void {
    const { playback, capture } = this.audio;
    if (voice === PCM_OUT) return hz === 0 ? playback.close() : playback.open(hz);
    const stream = CAPTURE_STREAM[voice]!;
    return hz === 0 ? capture.close(stream) : capture.open(stream, hz);
  }

  private setVolume(register: number, value: number): void {
    const { playback, capture } = this.audio;
    if (register === RECORD_GAIN) {
      this.store(register, value & 0x8f0f);
      const { left, right } = levels(this.read(register), 0x0f);
      return capture.setVolume(CAPTURE_STREAM[PCM_IN]!, this.muted(register), left, right);
    }
    this.store(register, value & (register === MASTER_VOLUME ? 0xbf3f : 0x9f1f));
    // Attenuations.
    const master = levels(this.read(MASTER_VOLUME), 0x3f);
    const pcm = levels(this.read(PCM_OUT_VOLUME), 0x1f);
    const both = (a: number, b: number): number => Math.floor(((255 - a) * (255 - b)) / 255);
    const mute = this.muted(MASTER_VOLUME) || this.muted(PCM_OUT_VOLUME);
    playback.setVolume(mute, both(master.left, pcm.left), both(master.right, pcm.right));
  }

  private muted(register: number): boolean {
    return (this.read(register) & MUTE) !== 0;
  }
}

/** The two halves of a volume register as parts of 255. @param mask the bits of a half */
function levels(value: number, mask: number): { readonly left: number; readonly right: number } {
  const level = (half: number): number => Math.floor((255 * (half & mask)) / mask);
  return { left: level(value >> 8), right: level(value) };
}
