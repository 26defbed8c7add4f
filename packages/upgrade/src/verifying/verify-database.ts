import type { Server } from '@howdah/cluster'
import type pg from 'pg'
import type { VerifiedDatabase } from '../options.ts'
import { asking } from '../source.ts'
import { alike, type Census, takeCensus } from './census.ts'

/**
 * Compares a database of the old cluster with that of the new one: extensions, tables and other relations by name, the number of
 * rows and the hashes of some or all of them, the values of sequences, and how many there are of other things.
 *
 * Gives what was compared, and what differs.
 */
export async function verifyDatabase(
  source: Server,
  target: Server,
  name: string,
  signal?: AbortSignal,
): Promise<{ verified: VerifiedDatabase; differences: string[] }> {
  return await asking(source, name, async (old) => {
    return await asking(target, name, async (anew) => {
      const both = [old, anew] as const
      for (const client of both) await client.query(alike)
      const census = await takeCensus(old, source.runtime.version.major)
      const found = await takeCensus(anew, target.runtime.version.major)
      const differences = compareCensuses(census, found)
      let rows = 0
      for (const table of differences.length > 0 ? [] : census.tables) {
        signal?.throwIfAborted()
        const [before, after] = await askBoth<{ rows: string; sample: string }>(both, table.query)
        rows += Number(before?.rows)
        if (before?.rows !== after?.rows)
          differences.push(`table ${table.name} had ${before?.rows} rows, and has ${after?.rows}`)
        else if (before?.sample !== after?.sample)
          differences.push(`rows of table ${table.name} have other values`)
      }
      for (const sequence of differences.length > 0 ? [] : census.sequences) {
        const query = `SELECT last_value::text AS value, is_called AS called FROM ${sequence}`
        const [before, after] = await askBoth<{ value: string; called: boolean }>(both, query)
        if (before?.value !== after?.value || before?.called !== after?.called)
          differences.push(
            `sequence ${sequence} was at ${before?.value}, and is at ${after?.value}`,
          )
      }
      const { length: tables } = census.tables
      const { length: sequences } = census.sequences
      return {
        verified: { name, tables, rows, sequences },
        differences: differences.map((words) => `in database ${name}, ${words}`),
      }
    })
  })
}

async function askBoth<Row extends pg.QueryResultRow>(
  clients: readonly [pg.Client, pg.Client],
  query: string,
): Promise<(Row | undefined)[]> {
  const answers = await Promise.all(clients.map(async (client) => await client.query<Row>(query)))
  return answers.map(({ rows }) => rows[0])
}

function compareCensuses(before: Census, after: Census): string[] {
  const missing = [
    ...changed('extension ', before.extensions, after.extensions),
    ...changed('', before.relations, after.relations),
  ]
  const counts = Object.entries(before.counts).flatMap(([what, count]) =>
    after.counts[what] === count
      ? []
      : [`there were ${count} ${what}, and are ${after.counts[what]}`],
  )
  return [...missing, ...counts]
}

/** What is in one of two lists only. */
function changed(kind: string, before: readonly string[], after: readonly string[]): string[] {
  const [old, anew] = [new Set(before), new Set(after)]
  const lost = before.filter((name) => !anew.has(name)).map((name) => `${kind}${name} is missing`)
  const added = after.filter((name) => !old.has(name)).map((name) => `${kind}${name} is new`)
  return [...lost, ...added]
}
