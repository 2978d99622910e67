import { UserError } from '../../core/errors.js';
import { known, onlyKeys, parseKeyValues } from '../../machine/keyval.js';

/**
 * Checks `-netdev` and `-object`. A network that no device uses is taken as QEMU takes it, for nothing ever comes from it, and a filter on it has nothing to record.
 * Throws UserError naming the option.
 * @returns QEMU's warnings
 */
export function unusedNetworks(netdevs: readonly string[], objects: readonly string[]): string[] {
  const ids = netdevs.map((text) => networkId(text));
  const twice = ids.find((id, at) => ids.indexOf(id) < at);
  if (twice !== undefined)
    throw new UserError('bad-option', `-netdev ${netdevs[ids.lastIndexOf(twice)]}: Duplicate ID '${twice}' for netdev`);
  const filters = new Set<string>();
  for (const text of objects) {
    const id = filterId(text, ids);
    if (filters.has(id)) throw new UserError('bad-option', `-object ${text}: Duplicate ID '${id}' for object`);
    filters.add(id);
  }
  return ids.map((id) => `warning: netdev ${id} has no peer`);
}

function networkId(text: string): string {
  const found = parseKeyValues('-netdev', text, 'type');
  known('-netdev', found.type ?? '', ['user']);
  onlyKeys('-netdev user', found, ['type', 'id']);
  if (!found.id) throw new UserError('bad-option', `-netdev ${text}: Parameter 'id' is missing`);
  return found.id;
}

function filterId(text: string, networks: readonly string[]): string {
  const found = parseKeyValues('-object', text, 'qom-type');
  known('-object', found['qom-type'] ?? '', ['filter-replay']);
  onlyKeys('-object filter-replay', found, ['qom-type', 'id', 'netdev']);
  if (!found.id) throw new UserError('bad-option', `-object ${text}: Parameter 'id' is missing`);
  if (found.netdev === undefined) throw new UserError('bad-option', `-object ${text}: Parameter 'netdev' is missing`);
  if (!networks.includes(found.netdev))
    throw new UserError('bad-option', `-object ${text}: Parameter 'netdev' expects a network backend id`);
  return found.id;
}
