import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that some tests need and npm does not install. */
interface Requirement {
  readonly debianPackage: string;
  /** Names or absolute paths; the first that exists is used. */
  readonly programs: readonly string[];
}

const REQUIREMENTS = {
  // The shell has no window, and needs a third of the CPU time for each page.
  chromium: {
    debianPackage: 'chromium-headless-shell',
    programs: process.env.CHROMIUM === undefined ? ['chromium-headless-shell', 'chromium'] : [process.env.CHROMIUM],
  },
  pgbouncer: { debianPackage: 'pgbouncer', programs: ['/usr/sbin/pgbouncer', 'pgbouncer'] },
  openssl: { debianPackage: 'openssl', programs: ['openssl'] },
  curl: { debianPackage: 'curl', programs: ['curl'] },
  pg_dump: { debianPackage: 'postgresql-client', programs: ['pg_dump'] },
  'systemd-analyze': { debianPackage: 'systemd', programs: ['systemd-analyze'] },
  gcc: { debianPackage: 'gcc libc6-dev', programs: ['gcc'] },
} as const satisfies Readonly<Record<string, Requirement>>;

export type RequirementName = keyof typeof REQUIREMENTS;

declare module 'vitest' {
  interface TaskMeta {
    /** The suite is skipped where this program is missing. */
    requires?: RequirementName;
  }
}

/** Path of a required program. Throws an error that names the Debian package if the program is missing. */
export function requiredProgram(name: RequirementName): string {
  const found = find(name);
  if (found !== null) return found;
  throw new Error(`this test requires ${name}: apt-get install ${REQUIREMENTS[name].debianPackage}`);
}

/**
 * Options for `describe`: the suite is skipped if the program is missing, and the test run ends with a line that names the package. In CI the
 * suite runs, and fails, so that no test is lost unnoticed.
 */
export function requires(name: RequirementName): {
  readonly skip: boolean;
  readonly meta: { readonly requires: RequirementName };
} {
  return { skip: !isInstalled(name) && process.env.CI === undefined, meta: { requires: name } };
}

export function isInstalled(name: RequirementName): boolean {
  return find(name) !== null;
}

export function debianPackage(name: RequirementName): string {
  return REQUIREMENTS[name].debianPackage;
}

function find(name: RequirementName): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = REQUIREMENTS[name].programs.flatMap((program) =>
    program.startsWith('/') ? [program] : folders.map((folder) => join(folder, program)),
  );
  return candidates.find((candidate) => existsSync(candidate)) ?? null;
}
