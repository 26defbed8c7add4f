import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findProgram } from '@howdah/durable'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'howdah-find-'))
  for (const name of ['one', 'other']) {
    mkdirSync(join(home, name))
    writeFileSync(join(home, name, 'psql'), '')
    chmodSync(join(home, name, 'psql'), 0o755)
  }
})

afterEach(() => rmSync(home, { recursive: true }))

const on = (...entries: string[]) => entries.join(delimiter)

describe('a program', () => {
  test('is the first of its name on the PATH', () => {
    const path = on(join(home, 'missing'), join(home, 'one'), join(home, 'other'))
    expect(findProgram('psql', path)).toBe(join(home, 'one', 'psql'))
    expect(findProgram('pg_dump', path)).toBeNull()
    expect(findProgram('psql', undefined)).toBeNull()
  })

  test('is a file that may be executed', () => {
    chmodSync(join(home, 'one', 'psql'), 0o644)
    mkdirSync(join(home, 'two', 'psql'), { recursive: true })
    const path = on(join(home, 'one'), join(home, 'two'), join(home, 'other'))
    expect(findProgram('psql', path)).toBe(join(home, 'other', 'psql'))
  })

  test('is one that the caller accepts', () => {
    const accepts = (path: string) => path.startsWith(join(home, 'other'))
    const path = on(join(home, 'one'), join(home, 'other'))
    expect(findProgram('psql', path, { accepts })).toBe(join(home, 'other', 'psql'))
  })

  test('is looked for in empty and relative entries only from a working directory', () => {
    expect(findProgram('psql', on('', 'one'), { cwd: home })).toBe(join(home, 'one', 'psql'))
    expect(findProgram('psql', '', { cwd: join(home, 'one') })).toBe(join(home, 'one', 'psql'))
    expect(findProgram('psql', on('', 'one'))).toBeNull()
  })
})
