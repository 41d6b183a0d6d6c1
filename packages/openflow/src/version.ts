/**
 * OpenFlow protocol versions, by their number on the wire (the first byte of every message).
 */
export const OF10 = 1;
export const OF11 = 2;
export const OF12 = 3;
export const OF13 = 4;
export const OF14 = 5;
export const OF15 = 6;

/** A version as it stands in the header of messages: 1 is OpenFlow 1.0, 6 is 1.5. */
export type OfVersion = 1 | 2 | 3 | 4 | 5 | 6;

/** All versions, as `ConnectionOptions.versions` says them: bit n for version n on the wire. */
export const ALL_VERSIONS = 0x7e;

interface VersionRow {
  readonly version: OfVersion;
  /** The name that `-O` and the `protocols` column take. */
  readonly name: string;
  /** The short name in printed messages. */
  readonly short: string;
}

export const VERSIONS: readonly VersionRow[] = [
  { version: OF10, name: 'OpenFlow10', short: 'OF1.0' },
  { version: OF11, name: 'OpenFlow11', short: 'OF1.1' },
  { version: OF12, name: 'OpenFlow12', short: 'OF1.2' },
  { version: OF13, name: 'OpenFlow13', short: 'OF1.3' },
  { version: OF14, name: 'OpenFlow14', short: 'OF1.4' },
  { version: OF15, name: 'OpenFlow15', short: 'OF1.5' },
];

/** The version that a name such as `OpenFlow13` (or `openflow13`, as the peer takes it) stands for. */
export function versionFromName(name: string): OfVersion | undefined {
  const lower = name.toLowerCase();
  return VERSIONS.find((row) => row.name.toLowerCase() === lower)?.version;
}

/** The name of a version, such as `OpenFlow13`. */
export function versionName(version: number): string {
  return (
    VERSIONS.find((row) => row.version === version)?.name ?? `0x${version.toString(16).padStart(2, '0')}`
  );
}

/** Whether a byte is a version that this library speaks. */
export function isVersion(value: number): value is OfVersion {
  return value >= OF10 && value <= OF15;
}
