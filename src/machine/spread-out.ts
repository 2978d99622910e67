/**
 * Some of very many checkpoints: the first, the last, and those between that are about equally far apart.
 * @param all ascending
 * @param most about so many are left; all, when there are fewer
 */
export function spreadOut<T extends { readonly icount: number }>(all: readonly T[], most: number): readonly T[] {
  if (all.length < most) return all;
  const least = all.at(-1)!.icount / most;
  let next = 0;
  return all.filter(({ icount }, k) => {
    if (icount < next && k < all.length - 1) return false;
    next = icount + least;
    return true;
  });
}
