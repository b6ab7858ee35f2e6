/** Raised when machines of the same workflow change. Snapshots name it; those of another version are rebuilt from their log. */
export const COMPILER_VERSION = 1;
