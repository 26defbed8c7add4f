export const pageSize = 4096

/** A page like those of a database: half of it text and numbers that repeat, a quarter noise, a quarter empty. */
export function pageData(number) {
  const data = Buffer.alloc(pageSize)
  let state = number
  for (let at = 0; at < pageSize / 4; at += 4) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    data.writeInt32LE(state | 0, at)
  }
  for (let at = pageSize / 4; at < (pageSize * 3) / 4; at += 32) {
    data.write(`row ${number * 100 + at} of a table, `, at, 'latin1')
  }
  return data
}
