import { readdir } from 'node:fs/promises'

/** The files beside a lease's file. */
export interface Records {
  /** The highest number of a record; 0 if there is none. */
  readonly highest: number
  /**
   * The names of old files, in the order in which they must be removed: records in ascending order, except the newest two,
   * and temporary files for numbers as old as those. A process that still works on such a number has lost.
   */
  readonly cleared: readonly string[]
}

/** Lists the records `<name>.<n>` and the temporary files `.<name>.<n>.<any>.tmp` in a directory. */
export async function listRecords(dir: string, name: string): Promise<Records> {
  const records: { name: string; number: number }[] = []
  const temporary: { name: string; number: number }[] = []
  for (const entry of await readdir(dir)) {
    if (entry.startsWith(`${name}.`)) {
      const rest = entry.slice(name.length + 1)
      if (/^[1-9]\d{0,14}$/.test(rest)) records.push({ name: entry, number: Number(rest) })
    } else if (entry.startsWith(`.${name}.`)) {
      const number = /^([1-9]\d{0,14})\.[^.]+\.tmp$/.exec(entry.slice(name.length + 2))?.[1]
      if (number !== undefined) temporary.push({ name: entry, number: Number(number) })
    }
  }
  records.sort((one, other) => one.number - other.number)
  const highest = records.at(-1)?.number ?? 0
  const cleared = [
    ...records.slice(0, -2),
    ...temporary.filter(({ number }) => number <= highest - 2),
  ]
  return { highest, cleared: cleared.map((entry) => entry.name) }
}
