import { afterAll, expect, test } from 'vitest'
import { pool } from '../src/database.js'
import { Notes } from '../src/notes.js'

// The pool was made from the DATABASE_URL of this file.
afterAll(async () => {
  await pool.end()
})

test('the application has found a database', async () => {
  expect(await new Notes(pool).add('buy hay')).toBe(1)
})
