import { describe, expect, test } from 'vitest'
import { splitStatements } from '../src/split-statements.ts'

const split = (sql: string) => {
  const { statements, unfinished } = splitStatements(sql)
  return [statements.map(({ text }) => text), unfinished?.text ?? null]
}

describe('statements end at a semicolon', () => {
  test.each([
    ['', [], null],
    [' \n\t', [], null],
    [';;  ;', [], null],
    ['select 1', [], 'select 1'],
    ['select 1;', ['select 1'], null],
    ['  select 1 ; select 2;', ['select 1', 'select 2'], null],
    ['select 1; select', ['select 1'], 'select'],
    ["select ';';", ["select ';'"], null],
    ["select 'it''s;';", ["select 'it''s;'"], null],
    [String.raw`select '\'; select 2;`, [String.raw`select '\'`, 'select 2'], null],
    [String.raw`select E'\';'; select 2;`, [String.raw`select E'\';'`, 'select 2'], null],
    [String.raw`select e'\\'; select 2;`, [String.raw`select e'\\'`, 'select 2'], null],
    [String.raw`select the'\'; select 2;`, [String.raw`select the'\'`, 'select 2'], null],
    ['select "a;""b";', ['select "a;""b"'], null],
    ["select 'open; ", [], "select 'open;"],
    ['select "open; ', [], 'select "open;'],
    ['-- a; b\nselect 1;', ['select 1'], null],
    ['select 1 -- a; b\n;', ['select 1 -- a; b'], null],
    ['-- only; this', [], null],
    ['/* a; /* b; */ c; */ select 1;', ['select 1'], null],
    ['/* a; /* b; */ select 1;', [], null],
    ['select 1 /* a; */ + /**/ 2;', ['select 1 /* a; */ + /**/ 2'], null],
    ['select 2 - -1; select 4 / 2 * 1;', ['select 2 - -1', 'select 4 / 2 * 1'], null],
    ['select $$a;b$$;', ['select $$a;b$$'], null],
    ['select $t$a; $$ ; $u$ $t$;', ['select $t$a; $$ ; $u$ $t$'], null],
    ['select $ä1$;$ä1$;', ['select $ä1$;$ä1$'], null],
    ['do $$ begin; $t$ end $$; select 1;', ['do $$ begin; $t$ end $$', 'select 1'], null],
    ['select $$open; ', [], 'select $$open;'],
    ['select $1; select $2;', ['select $1', 'select $2'], null],
    ['select a$b$; select c$b$;', ['select a$b$', 'select c$b$'], null],
    [
      'create rule r as on insert to t do (a; b); select 1;',
      ['create rule r as on insert to t do (a; b)', 'select 1'],
      null,
    ],
    ["select '(;'; select ')';", ["select '(;'", "select ')'"], null],
    [
      'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; select 3;',
      [
        'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END',
        'select 3',
      ],
      null,
    ],
    [
      'begin; select case when true then 1 end; end;',
      ['begin', 'select case when true then 1 end', 'end'],
      null,
    ],
  ])('%j', (sql, statements, unfinished) => {
    expect(split(sql)).toEqual([statements, unfinished])
  })
})

test('each knows the line of its first word', () => {
  const sql = "\n-- one\nselect\n1;\n\n/*\n*/ select 'a\nb'; select 3;\nselect"
  const { statements, unfinished } = splitStatements(sql)
  expect([...statements, unfinished].map((statement) => statement?.line)).toEqual([3, 7, 8, 9])
})

test('however the text is cut, the rest put in front of what comes next gives the same', () => {
  const sql =
    "select 'a;''b' -- c;\n; /* d; /**/ */ select $e$ ; $e$; select E'\\';', \"f;\";select (1;2);"
  const [whole] = split(sql)
  expect(whole).toHaveLength(4)
  for (let cut = 0; cut <= sql.length; cut++) {
    const first = splitStatements(sql.slice(0, cut))
    const second = splitStatements(first.rest + sql.slice(cut))
    expect([...first.statements, ...second.statements].map(({ text }) => text)).toEqual(whole)
    expect(second.unfinished).toBeNull()
  }
})

test('a long text does not take long', { timeout: 5000 }, () => {
  const string = `select '${'a;'.repeat(2_000_000)}', $$${'b$;'.repeat(1_000_000)}$$;`
  expect(splitStatements(string.repeat(2)).statements).toHaveLength(2)
  expect(splitStatements('select 1;\n'.repeat(100_000)).statements).toHaveLength(100_000)
})
