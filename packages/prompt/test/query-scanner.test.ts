import { expect, test } from 'vitest'
import { QueryScanner } from '../src/scanning/query-scanner.ts'

/** What is found in lines, and what is left. */
function scan(text: string, variables: Readonly<Record<string, string>> = {}) {
  const scanner = new QueryScanner((name) => variables[name])
  const found: string[] = []
  for (const line of text.split('\n')) {
    scanner.add(`${line}\n`)
    for (let one = scanner.next(); one !== null; one = scanner.next()) found.push(one.text)
  }
  return { found, query: scanner.query, unfinished: scanner.unfinished }
}

test.each([
  ['', [], '', '='],
  [';;  ;', [], '', '='],
  ['select 1', [], 'select 1', '-'],
  ['  select 1 ; select 2;', ['select 1 ;', 'select 2;'], '', '='],
  ["select ';'; select 'it''s;';", ["select ';';", "select 'it''s;';"], '', '='],
  [
    String.raw`select '\'; select E'\';'; select e'\\';`,
    [String.raw`select '\';`, String.raw`select E'\';';`, String.raw`select e'\\';`],
    '',
    '=',
  ],
  [String.raw`select the'\'; select 2;`, [String.raw`select the'\';`, 'select 2;'], '', '='],
  ['select "a;""b";', ['select "a;""b";'], '', '='],
  ["select 'open; ", [], "select 'open;", "'"],
  ['select "open; ', [], 'select "open;', '"'],
  ['select $$open; ', [], 'select $$open;', '$'],
  ['select (1', [], 'select (1', '('],
  ['/* open; ', [], '', '*'],
  ['-- a; b\nselect 1 -- c;\n;', ['select 1 -- c;\n;'], '', '='],
  ['/* a; /* b; */ c; */ select 1 /* d; */;', ['select 1 /* d; */;'], '', '='],
  [
    'select $t$a; $$ ; $u$\n $t$; select a$b$; select c$b$;',
    ['select $t$a; $$ ; $u$\n $t$;', 'select a$b$;', 'select c$b$;'],
    '',
    '=',
  ],
  [
    'create rule r as on insert to t do (a; b); select 1;',
    ['create rule r as on insert to t do (a; b);', 'select 1;'],
    '',
    '=',
  ],
  ['select 1 \\g\nselect 2;', ['\\g', 'select 1 \nselect 2;'], '', '='],
  [
    "select '\\g' \\; select $$\\g$$; \\x \\dt",
    ["select '\\g' ; select $$\\g$$;", '\\x \\dt'],
    '',
    '=',
  ],
])('%j', (text, found, query, unfinished) => {
  expect(scan(text)).toEqual({ found, query, unfinished })
})

test('variables are replaced outside of quotes and comments, once, and :: is a cast', () => {
  const variables = { a: 'x', q: "it's", s: '1; select 2', own: ':own + :a' }
  expect(
    scan(`:a :'q' :"q" ':a' ":a" $$:a$$ 1::a x:=a :none :{?a} :{?z} /*:a*/;`, variables).found,
  ).toEqual([`x 'it''s' "it's" ':a' ":a" $$:a$$ 1::a x:=a :none TRUE FALSE /*:a*/;`])
  expect(scan('select :s;', variables).found).toEqual(['select 1;', 'select 2;'])
  expect(scan('select :own, :own;', variables).found).toEqual(['select :own + x, :own + x;'])
})

test('a long text does not take long: with steps in the square of its length it would take minutes', () => {
  expect(scan(`select '${'a;\n'.repeat(500_000)}';`).found).toHaveLength(1)
  expect(scan('select 1;\n'.repeat(100_000)).found).toHaveLength(100_000)
})
