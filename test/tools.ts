import { spawnSync } from 'node:child_process';

/** True when `program` can be run. Without it the tests that need it are skipped, saying which Debian package to install; under CI=true they fail instead. */
export function requireTool(program: string, debianPackage: string): boolean {
  const found = spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  if (found) return true;
  const message = `${program} is missing: install the Debian package ${debianPackage}`;
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(`skipped: ${message}`);
  return false;
}
