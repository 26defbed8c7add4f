import { currentProcess } from '@howdah/store'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Registry, RegistryError, write } from '../src/index.ts'
import { fastDirectory } from './support/fast-directory.ts'

test('the example of the README does what it says', async () => {
  using directory = fastDirectory()
  const path = directory.file('registry.json')
  const told: string[] = []
  const tell = (line: string | undefined) => void told.push(String(line))

  // #region example
  const registry = new Registry({ path })

  // This process, and nobody else, writes /srv/data and all below it, until the end of the block.
  await using runner = await registry.register('runner', { allow: [write('/srv/data')] })

  // A part of it is for a worker, which takes it over with the token that it is given.
  const reserved = await runner.delegate('worker-1', { allow: [write('/srv/data/1')] })
  await using worker = await registry.adopt('worker-1', reserved.token)
  tell((await registry.ownerOf('/srv/data/1/file'))?.name)
  tell((await registry.ownerOf('/srv/data/2/file'))?.name)

  // Who wants what another has is told who that is.
  try {
    await registry.register('backup', { allow: [write('/srv/data/1/backup')] })
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_REGISTRY_CONFLICT')
      tell(error.message)
    else throw error
  }
  // #endregion

  expect(worker.allocation).toMatchObject(currentProcess())
  expect(told).toEqual([
    'worker-1',
    'runner',
    'cannot let "backup" write /srv/data/1/backup and all below it: "worker-1" of process ' +
      `${process.pid} writes /srv/data/1 and all below it, and both cover /srv/data/1/backup; ` +
      'choose another path, deny that part, or end that process',
  ])
})

test('the README shows this very example', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8')
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = /#region example\n([\s\S]*?) *\/\/ #endregion/.exec(source)![1]!
  expect(readme).toContain(example.replaceAll(/^ {2}/gm, '').trim())
})
