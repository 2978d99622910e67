import { UserError } from '../core/errors.js';
import { type KernelSymbol, printable } from './symbol-table.js';

const LINE = /^([0-9a-f]{1,16}) ([a-zA-Z?]) (\S+)(?:\s+\[(\S+)\])?\s*$/i;
/** Types of nm that name code, upper case when global. */
const CODE = 'tTwW';
const MAX_SYMBOLS = 4_000_000;

/** System.map, /proc/kallsyms or the output of nm: `address type name` a line. */
export function parseSystemMap(text: string, path: string): KernelSymbol[] {
  const symbols: KernelSymbol[] = [];
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
    number++;
    if (line.trim() === '' || /^\s+[Uw]\s/.test(line)) continue;
    const symbol = parseLine(line);
    if (symbol === null) refuse(path, number, line);
    else symbols.push(symbol);
    if (symbols.length > MAX_SYMBOLS) throw new UserError('symbols-corrupt', `${path}: more than ${MAX_SYMBOLS} symbols`);
  }
  if (symbols.length > 0 && symbols.every((s) => s.address === 0))
    throw new UserError('symbols-corrupt', `${path}: all addresses are 0; read /proc/kallsyms as root with kernel.kptr_restrict=0`);
  return symbols;
}

function parseLine(line: string): KernelSymbol | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const address = Number.parseInt(match[1]!, 16);
  if (address > 0xffffffff) return null;
  const [type, name, module] = [match[2]!, match[3]!, match[4]];
  return {
    address,
    name: printable(module === undefined ? name : `${name}[${module}]`),
    code: CODE.includes(type),
    global: type === type.toUpperCase(),
  };
}

function refuse(path: string, number: number, line: string): never {
  if (/ The real System\.map /i.test(line))
    throw new UserError(
      'symbols-corrupt',
      `${path}: Debian's stub, which holds no symbols: the real one is in the package linux-image-...-dbg`,
    );
  if (LINE.test(line))
    throw new UserError('symbols-corrupt', `${path}: line ${number}: an address of a 64-bit kernel, but the guest's processor has 32 bits`);
  throw new UserError('symbols-corrupt', `${path}: line ${number} is not "address type name": ${JSON.stringify(line.slice(0, 60))}`);
}
