/**
 * The number of the page at byte 0x40000000, which SQLite locks and therefore never writes (sqlite.org/fileformat2.html,
 * "The Lock-Byte Page").
 */
export function lockPageNumber(pageSize: number): number {
  return 0x4000_0000 / pageSize + 1
}
