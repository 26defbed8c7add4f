import { createReadStream, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { load } from '@howdah/dump'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster, type Session } from '../../src/index.ts'

const home = temporaryDirectory()
const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
let session: Session
let number = 0

beforeAll(async () => {
  session = await cluster.run()
})

afterAll(async () => {
  await session.leave({ force: true })
  home[Symbol.dispose]()
})

/** A new database, and how to load SQL into it and ask it. */
async function fresh() {
  const database = `db${(number += 1)}`
  await session.createDatabase(database)
  return {
    database,
    put: async (
      sql: string | Uint8Array | Readable,
      options: Partial<Parameters<typeof load>[1]> = {},
    ) => {
      const file = home.file(`${database}.sql`)
      if (!(sql instanceof Readable)) writeFileSync(file, sql)
      return await load(session, {
        from: sql instanceof Readable ? sql : file,
        database,
        ...options,
      })
    },
    ask: async (sql: string) => {
      const client = await session.connect(database)
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows
      } finally {
        await client.end()
      }
    },
  }
}

const copy = String.raw`CREATE TABLE t (n int, s text);
COPY t (n, s) FROM stdin;
1	one\ttab
2	\\.
3	\N
\.
INSERT INTO t VALUES (4, 'after; the data');
`
const rows = [
  { n: 1, s: 'one\ttab' },
  { n: 2, s: '\\.' },
  { n: 3, s: null },
  { n: 4, s: 'after; the data' },
]

describe('a script', () => {
  it.each([
    ['as it is', (sql: string) => Buffer.from(sql)],
    ['with gzip', (sql: string) => gzipSync(sql)],
    ['with zstd', (sql: string) => zstd(sql)],
    ['with line ends of Windows', (sql: string) => Buffer.from(sql.replaceAll('\n', '\r\n'))],
    ['without a last line end', (sql: string) => Buffer.from(sql.trimEnd())],
    ['without the last semicolon', (sql: string) => Buffer.from(sql.trimEnd().slice(0, -1))],
  ])('is loaded %s', async (_how, made) => {
    const { put, ask } = await fresh()
    expect(await put(made(copy))).toEqual({ statements: 3, rows: 3, skipped: 0 })
    expect(await ask('SELECT * FROM t ORDER BY n')).toEqual(rows)
  })

  it('is loaded from a stream, however it is cut into parts', async () => {
    for (const size of [1, 2, 3, 7, 64]) {
      const { put, ask } = await fresh()
      const bytes = Buffer.from(copy)
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      )
      await put(Readable.from(parts))
      expect(await ask('SELECT * FROM t ORDER BY n')).toEqual(rows)
    }
  })

  it('that is empty, or a comment, is not an error', async () => {
    const { put } = await fresh()
    expect(await put('')).toEqual({ statements: 0, rows: 0, skipped: 0 })
    expect(await put('-- nothing\n/* ; */ ;; ')).toEqual({ statements: 0, rows: 0, skipped: 0 })
  })

  it('connects to other databases, by any name', async () => {
    const { put, database } = await fresh()
    await session.createDatabase(`odd "'\\ name`)
    await put(
      String.raw`\connect -reuse-previous=on "dbname='odd \"\'\\ name'"
CREATE TABLE there (n int);
\connect ${database}
CREATE TABLE here (n int);
`.replace(String.raw`\"`, '""'),
    )
    const client = await session.connect(`odd "'\\ name`)
    expect((await client.query('TABLE there')).rows).toEqual([])
    await client.end()
  })
})

describe('an error', () => {
  it.each([
    ['SELECT 1;\n\nSELECT 1,\n  nonsense + 2;\n', 4, '  nonsense + 2\n  ^'],
    [
      'CREATE TABLE t (n int);\nCOPY t FROM stdin;\n1\nx\n\\.\nSELECT 1;\n',
      4,
      'COPY t, line 2, column n: "x"',
    ],
    ["SELECT 'ü🐘' AS a, nowhere;\n", 1, '^'],
    ['SELECT 1;\nSELECT (;\n', 2, ''],
    [`${copy}SELECT nothing;`, 8, ''],
  ])(
    'of the server is told with the file, the line and the place (%j)',
    async (sql, line, words) => {
      const { put, database } = await fresh()
      const failure = await put(sql).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'ERR_LOAD_FAILED', line })
      expect((failure as Error).message).toContain(`${database}.sql:${line}: `)
      expect((failure as Error).message).toContain(words)
    },
  )

  it('keeps the statements before it, and none in a single transaction', async () => {
    const { put, ask } = await fresh()
    const sql = 'CREATE TABLE before (n int);\nSELECT nothing;\n'
    await expect(put(sql, { singleTransaction: true })).rejects.toMatchObject({ line: 2 })
    const tables = `SELECT relname FROM pg_class WHERE relname = 'before'`
    expect(await ask(tables)).toEqual([])
    await expect(put(sql)).rejects.toMatchObject({ line: 2 })
    expect(await ask(tables)).toHaveLength(1)
  })

  it('in the middle of INSERTs is told with its line, and undoes as much as in any other statement', async () => {
    const { put, ask } = await fresh()
    const lines = Array.from({ length: 3000 }, (_, n) => `INSERT INTO t VALUES (${n + 1}); -- one`)
    lines[1999] = `INSERT INTO t VALUES (1); -- is there already`
    const inserts = `${lines.join('\n')}\n`
    const count = async () => (await ask('SELECT count(*)::int AS n FROM t'))[0]
    await put('CREATE TABLE t (n int PRIMARY KEY)')
    const refused = { code: 'ERR_LOAD_FAILED', line: 2000 }
    await expect(put(inserts, { singleTransaction: true })).rejects.toMatchObject(refused)
    expect(await count()).toEqual({ n: 0 })
    await expect(put(`BEGIN; ${inserts} COMMIT;`)).rejects.toMatchObject(refused)
    expect(await count()).toEqual({ n: 0 })
    await expect(put(`BEGIN; COMMIT; ${inserts}`)).rejects.toMatchObject(refused)
    expect(await count()).toEqual({ n: 1999 })
    lines.splice(0, 2000)
    expect(await put(lines.join('\n'))).toEqual({ statements: 1000, rows: 0, skipped: 0 })
    expect(await count()).toEqual({ n: 2999 })
  })

  it.each([
    ['\\! touch /tmp/x', 'does not know this command'],
    ['\\restrict a\n\\connect postgres', '\\restrict forbids'],
    ['\\restrict a\n\\unrestrict b', 'no such \\restrict'],
    ['\\unrestrict b', 'no such \\restrict'],
    ['\\copy t from x', 'does not know this command'],
  ])('is a command of psql that is not for dumps (%j)', async (sql, words) => {
    const { put } = await fresh()
    await expect(put(sql)).rejects.toMatchObject({
      code: 'ERR_LOAD_COMMAND',
      message: expect.stringContaining(words) as unknown,
    })
  })

  it('says which files it cannot read, and why', async () => {
    await expect(load(session, { from: home.file('none') })).rejects.toMatchObject({
      code: 'ERR_LOAD_UNREADABLE',
    })
    await expect(load(session, { from: home.path })).rejects.toMatchObject({
      code: 'ERR_LOAD_UNREADABLE',
    })
    writeFileSync(home.file('latin.sql'), `SET client_encoding = 'LATIN1';`)
    await expect(load(session, { from: home.file('latin.sql') })).rejects.toMatchObject({
      code: 'ERR_LOAD_ENCODING',
    })
    await expect(
      load(session, { from: createReadStream(home.file('none')) }),
    ).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('roles that are missing', () => {
  const sql = `CREATE TABLE t (n int);
ALTER TABLE public.t OWNER TO "Some One";
GRANT SELECT ON TABLE public.t TO nobody_here;
GRANT SELECT ON TABLE public.t TO PUBLIC;
`
  it('skip what the dump grants to them, with one notice for each', async () => {
    const { put } = await fresh()
    const words: string[] = []
    const onNotice = (one: string) => words.push(one)
    expect(await put(sql, { onNotice })).toMatchObject({ statements: 2, skipped: 2 })
    expect(words).toEqual([
      'there is no role Some One: what the dump gives it is skipped',
      'there is no role nobody_here: what the dump gives it is skipped',
    ])
  })

  it('are made on request, also in a single transaction', async () => {
    const { put, ask } = await fresh()
    const options = { roles: 'create', singleTransaction: true } as const
    expect(await put(sql, options)).toMatchObject({ statements: 4, skipped: 0 })
    expect(await ask(`SELECT tableowner FROM pg_tables WHERE tablename = 't'`)).toEqual([
      { tableowner: 'Some One' },
    ])
  })
})

function zstd(sql: string): Buffer {
  // A frame of one raw block, with its size in four bytes; source: RFC 8878.
  const body = Buffer.from(sql)
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0])
  header.writeUInt32LE(body.length, 5)
  const block = Buffer.alloc(3)
  block.writeUIntLE(1 + body.length * 8, 0, 3)
  return Buffer.concat([header, block, body])
}
