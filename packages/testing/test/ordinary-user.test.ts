import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { isOpenToOthers, temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { expect, it } from 'vitest'

const nobody = 65_534
const isRoot = process.geteuid?.() === 0
const whyNot = isRoot
  ? isOpenToOthers(import.meta.url)
    ? ''
    : ' (not run: another user cannot read this checkout)'
  : ' (not run: as an ordinary user all other tests show it)'

it.skipIf(whyNot !== '')(`works for a user who is no root${whyNot}`, () => {
  using home = temporaryDirectory()
  chmodSync(home.path, 0o755)
  for (const name of ['home', 'place', 'project']) {
    mkdirSync(home.file(name))
    chownSync(home.file(name), nobody, nobody)
  }
  const script = `
    import { statSync } from 'node:fs'
    import { bundled, onPath } from '@howdah/runtime'
    import { testDatabases } from './dist/index.js'
    const place = ${JSON.stringify(newest.place)}
    const strategy = place.package ? bundled({ packages: [place.package] }) : onPath([place.bindir])
    const migrate = async ({ client }) => await client.query('CREATE TABLE t (n int)')
    const databases = testDatabases({ root: ${JSON.stringify(home.file('project'))}, strategy, migrate, linger: 0 })
    for (let n = 0; n < 3; n += 1) {
      const db = await databases.create()
      const { rows } = await db.query("INSERT INTO t VALUES (1) RETURNING current_setting('data_directory') AS dir, (SELECT count(*)::int FROM t) AS before")
      console.log(statSync(rows[0].dir).uid, rows[0].before)
    }
    await databases.end()`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('..', import.meta.url),
    uid: nobody,
    gid: nobody,
    env: {
      PATH: process.env['PATH'],
      HOME: home.file('home'),
      HOWDAH_TEMPORARY_DIR: home.file('place'),
    },
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(stdout).toBe(`${nobody} 0\n`.repeat(3))
})
