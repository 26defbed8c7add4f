import { expect, test } from 'vitest'
import { columns } from '../src/output/columns.ts'

test('each column is as wide as its widest cell, and no line ends with spaces', () => {
  const rows = [
    ['a', 'bbb', 'c'],
    ['aaaa', 'b', ''],
    ['a', ''],
  ]
  expect(columns(rows)).toEqual(['a     bbb  c', 'aaaa  b', 'a'])
  expect(columns([])).toEqual([])
})

test('a cell is as wide as a terminal shows it', () => {
  expect(
    columns([
      ['象', 'x'],
      ['ab', 'x'],
      ['é', 'x'],
    ]),
  ).toEqual(['象  x', 'ab  x', 'é   x'])
})

test('a cell that is wider than the widest pushes only its own line aside', () => {
  expect(
    columns(
      [
        ['a'.repeat(5), 'x'],
        ['a', 'x'],
      ],
      { widest: 3 },
    ),
  ).toEqual(['aaaaa  x', 'a    x'])
})
