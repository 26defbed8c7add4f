import { fixture } from '@howdah/testing'
import { expect, test as base } from 'vitest'
import { Notes } from '../src/notes.js'
import { databases } from './databases.js'

const test = base.extend({ db: fixture(databases) })

test.concurrent.for([1, 2, 3])('database of its own, number %i', async (n, { db }) => {
  const notes = new Notes(db.pool())
  expect(await notes.add(`note ${n}`)).toBe(1)
  expect(await notes.list()).toEqual([{ id: 1, text: `note ${n}` }])
})
