import { seededRandom, times } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { type ScannedStatement, StatementScanner } from '../src/load/reading/statement-scanner.ts'
import { everything } from '@howdah/postgres-fixtures'

/** Tokens whose marks may lie across two parts. */
const pieces = [
  "'",
  "''",
  '"',
  '""',
  "E'",
  "\\'",
  '\\\\',
  '$$',
  '$tag$',
  '$1',
  '--',
  '-',
  '/*',
  '*/',
  '/',
  ';',
  '(',
  ')',
  '\n',
  ' ',
  'select',
  'begin',
  'atomic',
  'end',
  'case',
  'e',
  'x1',
  '\\connect a',
  // Longer than any mark, so that parts of a value are put aside.
  'y'.repeat(80),
  'create function f()',
  'create or replace procedure p()',
  'ü',
  '🐘',
  '\r\n',
  '\\.',
]

function scan(parts: readonly string[]): ScannedStatement[] {
  const scanner = new StatementScanner()
  const found: ScannedStatement[] = []
  const drain = () => {
    for (let one = scanner.next(); one !== null; one = scanner.next()) found.push(one)
  }
  for (const part of parts) {
    scanner.add(part)
    drain()
  }
  scanner.end()
  drain()
  return found
}

it('finds the same statements, however the script is cut into parts', () => {
  const random = seededRandom(Number(process.env['HOWDAH_TEST_SEED'] ?? 0x5ca9))
  for (let round = 0; round < times(2_000, 100_000); round += 1) {
    const sql = Array.from({ length: 1 + random.below(25) }, () => random.pick(pieces)).join('')
    const cuts = Array.from({ length: random.below(6) }, () => random.below(sql.length + 1))
    const places = [0, ...cuts.toSorted((one, other) => one - other), sql.length]
    const parts = places.slice(1).map((end, at) => sql.slice(places[at], end))
    expect({ parts, found: scan(parts) }).toEqual({ parts, found: scan([sql]) })
  }
})

it('finds the same statements character by character', () => {
  const sql = everything(18)
  const found = scan([sql])
  expect(found.length).toBeGreaterThan(70)
  expect(scan(Array.from(sql))).toEqual(found)
})

it('takes no longer for a value in many parts than for one in one part', () => {
  // 64 MB in 1,024 parts: looking at it again for each part would take minutes.
  const part = 'x'.repeat(64 * 1024)
  const found = scan(["SELECT '", ...Array.from({ length: 1_024 }, () => part), "';"])
  expect(found).toMatchObject([{ line: 1 }])
})
