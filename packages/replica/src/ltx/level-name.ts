/**
 * The level of a directory, by its name; `null` if it is not a level.
 *
 * Litestream names levels in decimal below `ltx/` (`9`), and with four hex digits in S3 (`0009`).
 */
export function parseLevel(name: string): number | null {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(name)) return Number(name)
  return /^0[0-9a-f]{3}$/.test(name) ? Number.parseInt(name, 16) : null
}

/** The possible names of a level's directory, the usual one first. */
export function levelNames(level: number): string[] {
  return level < 0x1000 ? [`${level}`, hexLevelName(level)] : [`${level}`]
}

/** The four hex digits that litestream uses for a level in S3. */
export function hexLevelName(level: number): string {
  return level.toString(16).padStart(4, '0')
}
