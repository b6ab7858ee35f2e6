/**
 * Version of the compiled machines, raised when the machine of an unchanged workflow changes. Snapshots carry it; a snapshot of another version
 * is rebuilt from its log.
 */
export const COMPILER_VERSION = 1;
