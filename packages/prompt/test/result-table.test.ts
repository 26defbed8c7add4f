import type { FieldDef } from 'pg'
import { expect, test } from 'vitest'
import { renderResult, type TextResult } from '../src/result-table.ts'

const text = 25
const integer = 23

function result(
  fields: readonly [name: string, type: number][],
  rows: (string | null)[][],
): TextResult {
  const described = fields.map(([name, dataTypeID]) => ({ name, dataTypeID }) as FieldDef)
  return { command: 'SELECT', rowCount: rows.length, oid: 0, fields: described, rows }
}

test('a table has aligned columns, numbers to the right, and says how many rows there are', () => {
  const table = result(
    [
      ['id', integer],
      ['name', text],
    ],
    [
      ['1', 'Hannibal'],
      ['22', null],
      ['333', ''],
    ],
  )
  expect(`\n${renderResult(table)}\n`).toBe(`
 id  |   name
-----+----------
   1 | Hannibal
  22 | NULL
 333 |
(3 rows)

`)
})

test('wide and combining characters, several lines, tabs, and what a terminal would obey', () => {
  const rows = [
    ['象', 'a\nbb'],
    ['e\u0301', 'c\td'],
    ['\u001B[2J', '\u0007'],
  ]
  expect(
    `\n${renderResult(
      result(
        [
          ['élan', text],
          ['b', text],
        ],
        rows,
      ),
    )}\n`,
  ).toBe(`
  élan   |   b
---------+--------
 象      | a
         | bb
 e\u0301       | c    d
 \\x1b[2J | \\x07
(3 rows)

`)
})

test.each([
  [result([['a', text]], []), ' a\n---\n(0 rows)\n'],
  [result([['a', text]], [['x']]), ' a\n---\n x\n(1 row)\n'],
  [result([], [[], []]), '--\n(2 rows)\n'],
  [{ ...result([], []), command: 'INSERT', rowCount: 2 }, 'INSERT 0 2'],
  [{ ...result([], []), rowCount: 7 }, 'SELECT 7'],
  [{ ...result([], []), command: 'UPDATE', rowCount: 3 }, 'UPDATE 3'],
  [{ ...result([], []), command: 'CREATE', rowCount: null }, 'CREATE'],
  [{ ...result([['id', integer]], [['1']]), command: 'INSERT' }, ' id\n----\n  1\n(1 row)\n'],
])('%#', (given, rendered) => {
  expect(renderResult(given)).toBe(rendered)
})

test('a hundred thousand rows are no trouble', { timeout: 10_000 }, () => {
  const rows = Array.from({ length: 100_000 }, (_, index) => [String(index), 'x'])
  expect(
    renderResult(
      result(
        [
          ['id', integer],
          ['name', text],
        ],
        rows,
      ),
    ),
  ).toContain('(100000 rows)')
})
