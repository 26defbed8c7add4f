import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { somePostgres } from '@howdah/postgres-fixtures'
import { expect, it } from 'vitest'
import { forkCluster } from '../src/index.ts'

/** A program that makes a server log so much that to recover from it takes a while. */
const writeMuch = `
  import pg from 'pg'
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await client.query('CREATE TABLE much AS SELECT n, md5(n::text) FROM generate_series(1, 200000) AS n')
  await client.end()
`

it.each(somePostgres)(
  'a fork on $name recovers at the next start if its server was killed during the first recovery',
  { timeout: 240_000 },
  async ({ strategy }) => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy })
    await using session = await original.run()
    const DATABASE_URL = session.url()
    let isHit = false
    for (let round = 0; !isHit; round += 1) {
      expect(round).toBeLessThan(10)
      const fork = new Cluster(home.file(`fork-${round}`), { strategy })
      const client = await session.connect()
      await client.query('DROP TABLE IF EXISTS much')
      await client.end()
      let isWritten = false
      await forkCluster(original, {
        to: fork.dataDir,
        onProgress({ phase }) {
          if (phase !== 'copying' || isWritten) return
          isWritten = true
          execFileSync(process.execPath, ['--input-type=module', '--eval', writeMuch], {
            cwd: import.meta.dirname,
            env: { ...process.env, DATABASE_URL },
          })
        },
      })
      const log = () => {
        const path = join(fork.dataDir, 'postmaster.log')
        return existsSync(path) ? readFileSync(path, 'utf8') : ''
      }
      const starting = fork.run().then(
        async (first) => await first.leave(),
        () => 'killed',
      )
      await until('it recovers', () => log().includes('redo starts'))
      process.kill(Number.parseInt(readFileSync(join(fork.dataDir, 'postmaster.pid'), 'utf8')), 9)
      await starting
      await using its = await fork.run()
      const reader = await its.connect()
      const { rows } = await reader.query('SELECT count(*)::int AS count FROM much')
      expect(rows).toEqual([{ count: 200_000 }])
      await reader.end()
      isHit = log().includes('interrupted while in recovery')
    }
  },
)
