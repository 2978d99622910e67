import { UserError } from '../../core/errors.js';
import { parseKeyValues } from '../../machine/keyval.js';
import { refuseLackingDevice } from '../../machine/lacking-devices.js';
import type { Given } from './qemu-options.js';

/** The id that QEMU gives the back-end of `-audio`. */
const AUDIO_ID = 'audiodev0';

/**
 * `-audio DRIVER,model=ac97,...` and the older `-soundhw ac97`, as the `-device` and the `-audiodev` that they stand for; null: none.
 * Throws UserError naming the option.
 */
export function soundCard(given: Given): { readonly device: string | null; readonly audiodev: string | null } {
  const options = given.filter(([option]) => option === 'audio' || option === 'soundhw');
  if (options.length > 1) throw new UserError('bad-option', 'only one -soundhw option is allowed');
  const [option, text] = options[0] ?? [null, ''];
  if (option === null) return { device: null, audiodev: null };
  if (option === 'soundhw') return { device: cardOf(`-soundhw ${text}`, text), audiodev: null };
  const { model, id = AUDIO_ID, driver, ...others } = parseKeyValues('-audio', text, 'driver');
  if (model === undefined) throw new UserError('bad-option', `-audio ${text}: Parameter 'model' is missing`);
  const card = cardOf(`-audio ${text}`, model);
  const escaped = (value: string): string => value.replaceAll(',', ',,');
  const properties = Object.entries({ id, ...others }).map(([key, value]) => `${key}=${escaped(value)}`);
  return { device: `${card},audiodev=${escaped(id)}`, audiodev: [`driver=${driver ?? ''}`, ...properties].join(',') };
}

function cardOf(option: string, model: string): string {
  if (model === 'ac97') return 'AC97';
  refuseLackingDevice(option, model);
  throw new UserError('bad-option', `${option}: Unknown sound card name \`${model}'`);
}
