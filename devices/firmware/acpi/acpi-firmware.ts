import type { Device, StateSchema } from '../../../src/core/state.js';
import type { FwCfg } from '../fw-cfg.js';
import { type AcpiFiles, acpiFiles, LOADER_FILE, RSDP_FILE, TABLES_FILE } from './acpi-tables.js';
import type { AcpiBoard } from './board.js';

/**
 * The ACPI tables in the firmware configuration. They are made when firmware first asks for one of their files after a reset: by then it has placed
 * the power management ports, which the tables name.
 */
export class AcpiFirmware implements Device {
  readonly schema: StateSchema = { name: 'acpi-firmware', version: 1, fields: { made: 'bool', pmBase: 'u32' } };
  /** Made since the last reset. */
  made = false;
  /** The power management ports in the tables as they are. */
  pmBase = 0;
  private readonly board: AcpiBoard;
  private readonly currentPmBase: () => number;
  private readonly files: AcpiFiles;
  /** What `files` was made for. */
  private builtFor = 0;

  constructor(fwCfg: FwCfg, board: AcpiBoard, currentPmBase: () => number) {
    this.board = board;
    this.currentPmBase = currentPmBase;
    this.files = acpiFiles(board, 0);
    const onSelect = (): void => this.make();
    fwCfg.addFile(TABLES_FILE, this.files.tables, onSelect);
    fwCfg.addFile(RSDP_FILE, this.files.rsdp, onSelect);
    fwCfg.addFile(LOADER_FILE, this.files.loader, onSelect);
  }

  reset(): void {
    this.made = false;
  }

  afterRestore(): void {
    if (this.pmBase === this.builtFor) return;
    this.builtFor = this.pmBase;
    const { tables, rsdp, loader } = acpiFiles(this.board, this.pmBase);
    this.files.tables.set(tables);
    this.files.rsdp.set(rsdp);
    this.files.loader.set(loader);
  }

  private make(): void {
    if (this.made) return;
    this.made = true;
    this.pmBase = this.currentPmBase();
    this.afterRestore();
  }
}
