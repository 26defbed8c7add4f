import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporary } from '@howdah/cluster'
import { expect, test } from 'vitest'
import { Project } from './project.ts'

const everybody = ['psql', 'node-postgres', 'Drizzle', 'TypeORM', 'postgres.js']
const decoding = ['psql', 'node-postgres', 'Drizzle', 'TypeORM']
const onlyLibpq = ['psql']

/** Who reaches a database of such a name by its URL; `docs/connecting.md` has the same table. */
const names: readonly (readonly [name: string, by: readonly string[]])[] = [
  ['app', everybody],
  ['feature/login', everybody],
  ['/a//b/', everybody],
  ['me@work', everybody],
  ['12:30', everybody],
  ['c++', everybody],
  ["it's $1, (a&b=c;d!)~*-._", everybody.slice(0, 4)],
  ['UPPER-case_1.5', everybody],
  ['a b', decoding],
  [' a ', decoding],
  ['100%', decoding],
  ['feature%2Flogin', decoding],
  ['象 🐘 Ünïcode', decoding],
  ['é'.repeat(31) + 'x', decoding],
  ['"[{<a|b\\c^d`e>}]"', decoding],
  ['a\nb', decoding],
  ['a#b', onlyLibpq],
  ['what?', onlyLibpq],
  ['..', onlyLibpq],
  ['a/./b', onlyLibpq],
]

test.each([
  ['over TCP', true],
  ['by the socket', false],
])('each client reaches by its URL %s what the table says', async (_, tcp) => {
  await using db = await temporary({ tcp })
  for (const [name] of names) await db.createDatabase(name)
  const script = fileURLToPath(new URL('clients/database-names.mjs', import.meta.url))
  const urls = JSON.stringify(names.map(([name]) => db.url(name)))
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))
  const { stdout } = await promisify(execFile)(process.execPath, [script, urls], {
    env: Object.fromEntries(kept),
  })
  const reached = JSON.parse(stdout) as Record<string, (string | null)[]>
  const able = everybody.filter((client) => {
    if (client === 'psql') return reached[client]?.[0] !== 'no psql'
    // It knows of no sockets in a URL.
    return client !== 'postgres.js' || tcp
  })
  expect(
    Object.fromEntries(
      names.map(([name], index) => [
        name,
        able.filter((client) => reached[client]?.[index] === name),
      ]),
    ),
  ).toEqual(
    Object.fromEntries(names.map(([name, by]) => [name, by.filter((one) => able.includes(one))])),
  )
})

test('by the PG* variables, a database of any name is reached', async () => {
  await using project = new Project()
  const client = fileURLToPath(new URL('clients/node-postgres-by-variables.mjs', import.meta.url))
  for (const name of ['a#b?', '../x']) {
    const { stdout } = await project.howdah(['exec', '-d', name, process.execPath, client])
    expect(stdout).toBe(`${name}\n`)
  }
})

test('what runs under howdah exec finds the database of a branch by its URL', async () => {
  await using project = new Project()
  const client = fileURLToPath(new URL('clients/node-postgres.mjs', import.meta.url))
  const args = ['exec', '-d', 'feature/login', process.execPath, client]
  expect(await project.howdah(args)).toEqual({ status: 0, stdout: 'feature/login\n', stderr: '' })
})
