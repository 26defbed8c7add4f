import { expect, test } from 'vitest'
import { columns } from '../src/columns.ts'

test('each column is as wide as its widest cell, and no line ends with spaces', async () => {
  const rows = [
    ['a', 'bbb', 'c'],
    ['aaaa', 'b', ''],
    ['a', ''],
  ]
  expect(await columns(rows)).toEqual(['a     bbb  c', 'aaaa  b', 'a'])
  expect(await columns([])).toEqual([])
})

test('a cell is as wide as a terminal shows it', async () => {
  expect(
    await columns([
      ['象', 'x'],
      ['ab', 'x'],
      ['é', 'x'],
    ]),
  ).toEqual(['象  x', 'ab  x', 'é   x'])
})

test('a cell that is wider than the widest pushes only its own line aside', async () => {
  expect(
    await columns(
      [
        ['a'.repeat(5), 'x'],
        ['a', 'x'],
      ],
      { widest: 3 },
    ),
  ).toEqual(['aaaaa  x', 'a    x'])
})
