import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { isSystemError } from '../src/index.ts'

it('an error of the system is one in every realm, and another is none', () => {
  const realm = { readFileSync, error: undefined as unknown }
  runInNewContext(
    'try { readFileSync("/nowhere") } catch (e) { error = e; same = e instanceof Error }',
    realm,
  )
  expect(realm).toMatchObject({ same: false })
  expect(isSystemError(realm.error)).toBe(true)
  expect(isSystemError(new Error('another'))).toBe(false)
  expect(isSystemError('ENOENT')).toBe(false)
})
