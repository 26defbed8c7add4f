import { temporaryDirectory } from '@howdah/fixtures'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LockedDocument, Store, maxIdentity, pathIdentity } from '../src/index.ts'

test('the example of the README does what it says', async () => {
  using directory = temporaryDirectory()
  const home = directory.path
  const dataDirectory = directory.path
  const cleanedUp: string[] = []
  const cleanUp = () => void cleanedUp.push('cleaned up')
  const told: string[] = []
  const tell = (line: string) => void told.push(line)

  // #region example
  interface Use {
    dataDirectory: string
    command: string
  }
  const store = new Store<Use>(`${home}/uses`, { identities: { max: maxIdentity } })

  // Say that this process uses the directory.
  const segment = await store.segment(pathIdentity(dataDirectory))
  const use = await segment.save({ dataDirectory, command: 'psql' })

  // Anybody can see who uses what; what killed processes left goes first.
  await segment.reap()
  for await (const found of store.all()) {
    if (found.error) tell(found.error.message)
    else tell(`${found.process.pid} ${found.state.command} ${found.state.dataDirectory}`)
  }

  // Who leaves knows whether it is the last.
  await segment.transaction(async (locked) => {
    await use.destroy()
    await locked.reap()
    if ((await locked.count()) === 0) cleanUp()
  })

  // One document, under one lock: it is published whole, and never read as empty when it is damaged.
  const settings = new LockedDocument(`${home}/settings.json`, { empty: () => ({ runs: 0 }) })
  await settings.update((document) => {
    document.runs += 1
  })
  // #endregion

  expect(told).toEqual([`${process.pid} psql ${dataDirectory}`])
  expect(cleanedUp).toEqual(['cleaned up'])
  expect(await settings.read()).toEqual({ runs: 1 })
})

test('the README shows this very example', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8')
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = /#region example\n([\s\S]*?) *\/\/ #endregion/.exec(source)![1]!
  expect(readme).toContain(example.replaceAll(/^ {2}/gm, '').trim())
})
