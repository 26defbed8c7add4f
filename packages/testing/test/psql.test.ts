import { existsSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '../src/testcontainers.ts'
import { ownPlace } from './support/place.ts'

ownPlace()

const { PATH } = process.env
const isThere = (PATH ?? '').split(':').some((place) => existsSync(`${place}/psql`))
const whyNot = isThere ? '' : ' (not run: there is no psql to compare it with)'
let started: StartedPostgreSqlContainer

beforeAll(async () => {
  started = await new PostgreSqlContainer('postgres').withStrategy(newest.strategy).start()
  await started.exec(['psql', '-c', 'CREATE TABLE kept (n int)'])
})
afterEach(() => {
  process.env['PATH'] = PATH
})
afterAll(async () => {
  await started.stop()
})

/** As on a machine that has no programs but the server's. */
async function withoutPsql(args: readonly string[]) {
  process.env['PATH'] = '/nowhere'
  return await started.exec(['psql', ...args])
}

const rows = `SELECT n, repeat('x', n) AS "some text", n > 1 AS flag, ARRAY[n] AS list, NULL AS nothing
                FROM generate_series(1, 2) AS n`

it.skipIf(whyNot !== '').each([
  ['rows', ['-c', rows]],
  ['one row', ['-U', 'test', '-d', 'postgres', '-c', 'SELECT current_database() AS db']],
  ['tuples alone', ['-tAc', rows]],
  ['tuples, aligned', ['-t', '-c', rows]],
  ['unaligned, quiet', ['-A', '-q', '-c', 'CREATE TEMP TABLE q (n int)', '-c', 'SELECT 1 AS one']],
  ['no rows', ['-c', 'SELECT 1 AS one WHERE false']],
  ['changes', ['-q', '-c', 'CREATE TEMP TABLE t (n int)', '-c', 'INSERT INTO t VALUES (1), (2)']],
  ['tags', ['-c', 'INSERT INTO kept VALUES (1), (2)', '-c', 'DELETE FROM kept']],
  ['a notice', ['-c', `DO $$ BEGIN RAISE NOTICE 'said'; END $$`]],
  ['an error', ['-c', 'SELECT 1 AS one', '-c', 'SELECT 1/0']],
])(`without a psql, the one in exec prints what psql does: %s${whyNot}`, async (_, args) => {
  // In which order a process has written to its two outputs cannot be told.
  const { output: _there, ...there } = await started.exec(['psql', '-X', ...args])
  const { output: _here, ...here } = await withoutPsql(['-X', ...args])
  expect(here).toEqual(there)
})

it('without a psql, runs files', async () => {
  using home = temporaryDirectory()
  const file = home.file('a.sql')
  writeFileSync(file, 'SELECT 40 + 2 AS answer')
  expect(await withoutPsql(['-At', '-f', file])).toMatchObject({ exitCode: 0, stdout: '42' })
})

it.each([
  ['an option that it does not know', ['--html', '-c', 'SELECT 1'], /--html/],
  ['nothing to run', [], /neither -c nor -f/],
])('without a psql, refuses %s', async (_, args, why) => {
  const { exitCode, stderr } = await withoutPsql(args)
  expect(exitCode).toBe(127)
  expect(stderr).toMatch(why)
})
