/** Where the line `\.` begins, and where the text after it begins; `null` if there is no such line, or it is not complete. */
export function endOfData(part: Buffer): { begin: number; end: number } | null {
  for (let at = part.indexOf('\\.'); at !== -1; at = part.indexOf('\\.', at + 1)) {
    if (at > 0 && part[at - 1] !== 10) continue
    const end = part[at + 2] === 13 ? at + 3 : at + 2
    if (part[end] === 10) return { begin: at, end: end + 1 }
  }
  return null
}

/** Whether a last line, without a line break, is `\.`. */
export function isEndOfData(line: Buffer): boolean {
  return /^\\\.\r?$/.test(line.toString('latin1'))
}

/** The number of complete lines. */
export function countLines(data: Buffer): number {
  let count = 0
  for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) count += 1
  return count
}
