import { expect, test } from 'vitest'
import { readCommandLine } from '../src/program/command-line.ts'
import { declarations } from '../src/program/declarations.ts'
import { declare } from '../src/program/declare-option.ts'
import { fakeIo } from './fake-io.ts'

function help(...args: string[]) {
  const said = readCommandLine(args, fakeIo(), declarations)
  expect(said).toEqual({ status: 0, out: expect.any(String), err: '', isJson: false })
  return 'out' in said ? said.out : ''
}

test('the help of howdah', () => {
  expect(help('--help')).toMatchSnapshot()
  expect(help('-h')).toBe(help('--help'))
  expect(help('help')).toBe(help('--help'))
})

test.each(declarations.map(({ name }) => name))('the help of howdah %s', (name) => {
  expect(help(name, '--help')).toMatchSnapshot()
  expect(help('help', name)).toBe(help(name, '--help'))
  expect(help('-D', 'x', name, '-h')).toBe(help(name, '--help'))
})

test('no line of any help is longer than a terminal of 100 columns', () => {
  for (const text of [help('--help'), ...declarations.map(({ name }) => help(name, '--help'))]) {
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  }
})

test.each(declarations.filter(({ requires }) => requires !== undefined))(
  'the usage line of $name has the options without which it does nothing',
  ({ name, requires = [] }) => {
    const [usage = ''] = help(name, '--help').split('\n')
    for (const option of requires) expect(usage).toContain(declare(option).flags)
  },
)

test('howdah psql is howdah shell', () => {
  expect(help('help', 'psql')).toBe(help('shell', '--help'))
})
