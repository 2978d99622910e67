import { join } from 'node:path';
import { configure } from '../../src/machine/config.js';
import { writeRom } from '../machines.js';
import { type Recording, record } from '../replay/scripted.js';

/** restored-anywhere.asm assembled (nasm -f bin). */
const CODE =
  '+i4PARYwAA8gwAwBDyLAZuo8AA8ACACQAAAAAAAAAAD//wAAAJvPAP//AAAAk88AFwAYAA8ABwQAMAEAZrgQAI7YjsCO0LwAgAAAxwUAAAEABxABAMcFBAABAAcgAQDHBQgAAQCHAAAAvwAQAQC4BwAAAKsFABAAAD0HAAIAcvO/wBMBALgHAA8Aq78AIAEAuAcAEACrBQAQAAA9BwARAHLzuM8BCACjADQBAKMgMAEAuACODwCjBDQBAKMkMAEADwEdNgAPAA8g4AwQDyLguAAAAQAPItgPIMANAAAAgA8iwMcFAPBAAP8FANDHBQTwQABAAMMAvwDwQAC9CAAAAKEAAEAAgyUAIAEAnwMFAABAAIktABBAAIMlBCABAJ+5AwAAAOsA/wUAEEAA4vgDBQAgQACBNQggAQAAEAAAAwUAIEAA98UCAAAAdAWjACBAAAMFACBAADHD/9eDJTwgAQDf/9e+ACABALkQAAAAa9sfAx6DxgTi9vfFAwAAAHUGAx0AAIAA98UBAAAAdRUPAT0AAEAA98UGAAAAdQYPINgPIthoAgABAGoIaLABDwDPkJDNgLB/BAHOkJCQTQ+FPf///4kdAJAAALAB5vTrCGvbHwNcJAjP9Ov9';
/** resumed-code.asm assembled. */
const RESUMED_CODE =
  '+i4PARYwAA8gwAwBDyLAZuo8AA8ACACQAAAAAAAAAAD//wAAAJvPAP//AAAAk88AFwAYAA8APwAAMAEAZrgQAI7YjsCO0LwAgAAAxwUwMAEAtgAIAMcFNDABAACODwAPAR02AA8A/L7KAA8AvwBQAAC5FAAAAPOkxgUAUQAAw7oAUQAA/9K9DgAAAIA1BVAAAAFopgAPAGgCAAEAaghoAFAAALDDz0114okdAJAAALAB5vT06/1r2x8DXCQIgWQkCP///v+DBCQCz6IAUQAARkZGRkZGRkZGRkZGDwvD';

interface ItsRecording extends Recording {
  readonly strict: true;
}

/** Records a guest that changes its page tables and sees what TLBs hold, up to its end. */
export function recordRestoredAnywhere(folder: string): ItsRecording {
  return recordRom(folder, 'restored-anywhere', CODE);
}

/** Records a guest that sees how long RF stays set, up to its end. */
export function recordResumedCode(folder: string): ItsRecording {
  return recordRom(folder, 'resumed-code', RESUMED_CODE);
}

function recordRom(folder: string, name: string, code: string): ItsRecording {
  const bios = writeRom(join(folder, `${name}.rom`), code);
  const config = configure({ bios, memory: '4M', nodefaults: true, device: ['isa-debug-exit,iobase=0xf4,iosize=1'] });
  return { ...record(join(folder, `${name}.rr`), config, '5.2', 100_000, []), strict: true };
}
