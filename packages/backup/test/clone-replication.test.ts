import { cloneCluster } from '../src/index.ts'
import { appendFileSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { Cluster, readSystemIdentifier, type Server, writeSystemIdentifier } from '@howdah/cluster'
import { somePostgres } from '@howdah/postgres-fixtures'

it.concurrent.each(somePostgres)(
  'is refused as a standby by its original, which takes a copy with its own identifier: $name',
  { timeout: 300_000 },
  async ({ strategy, major }) => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy })
    await original.create()
    const [clone, copy] = [
      await cloneCluster(original, { to: home.file('clone') }),
      await cloneCluster(original, { to: home.file('copy') }),
    ]
    // The one difference between the two.
    await writeSystemIdentifier(copy.dataDir, await readSystemIdentifier(original.dataDir))

    await using session = await original.run()
    const client = await session.connect()
    for (const standby of [clone, copy]) makeStandby(standby, session, major)
    await clone.start()
    const patience = 120_000
    await until(
      'the clone is refused',
      async () => (await logOf(clone)).includes('system identifier differs'),
      patience,
    )
    await copy.start()
    await client.query('CREATE TABLE streamed AS SELECT 42 AS answer')
    await until(
      'the copy has what was written',
      async () => (await answers(copy)).includes(42),
      patience,
    )
    expect(await answers(clone)).toEqual([])
    const { rows } = await client.query('SELECT application_name AS name FROM pg_stat_replication')
    expect(rows).toEqual([{ name: 'copy' }])
    for (const standby of [clone, copy]) await standby.stop()
    expect(await logOf(copy)).not.toContain('system identifier differs')
  },
)

/** From 12 on, these are settings like others. */
function makeStandby({ dataDir }: Cluster, { address }: Server, major: number): void {
  const name = dataDir.slice(dataDir.lastIndexOf('/') + 1)
  const { host, port, user } = address
  const line = `primary_conninfo = 'host=${host} port=${port} user=${user} application_name=${name}'\n`
  if (major < 12) writeFileSync(`${dataDir}/recovery.conf`, `standby_mode = on\n${line}`)
  else {
    writeFileSync(`${dataDir}/standby.signal`, '')
    appendFileSync(`${dataDir}/postgresql.auto.conf`, line)
  }
}

async function logOf(cluster: Cluster): Promise<string> {
  let text = ''
  for await (const chunk of cluster.logs()) text += chunk
  return text
}

/** What a standby has of the table that its original was given. */
async function answers(cluster: Cluster): Promise<number[]> {
  const client = await (await cluster.server()).connect()
  try {
    const { rows } = await client.query<{ answer: number }>('SELECT answer FROM streamed')
    return rows.map(({ answer }) => answer)
  } catch (error) {
    // undefined_table
    if ((error as { code?: string }).code !== '42P01') throw error
    return []
  } finally {
    await client.end()
  }
}
