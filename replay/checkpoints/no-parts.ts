/** Items of a checkpoint that are no parts of the machine: they are left out of its digest. */
export const NO_PARTS: readonly string[] = ['session', 'board', 'tlb'];
