#!/usr/bin/env node
// stock add NAME COUNT   adds goods to stock.json
// stock audit COMMAND…   runs a command while nobody can add
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lockedFile, withLock } from '@howdah/lock'

const [verb, ...words] = process.argv.slice(2)
const wait = {
  timeout: 10_000,
  onWait: ({ holders }) => {
    const names = holders.map(({ pid, command }) => `${command} (${pid})`)
    console.error(`waiting for ${names.join(', ')}`)
  },
}

if (verb === 'add') {
  const [name, count] = words
  // Any number may add at once, but not during an audit.
  await withLock('stock.lock', { ...wait, mode: 'shared' }, async () => {
    await lockedFile.transform('stock.json', (old) => {
      const stock = JSON.parse(old ?? '{}')
      return JSON.stringify({ ...stock, [name]: (stock[name] ?? 0) + Number(count) })
    })
  })
} else if (verb === 'audit') {
  await withLock('stock.lock', wait, async () => {
    const [command, ...args] = words
    const [status] = await once(spawn(command, args, { stdio: 'inherit' }), 'exit')
    process.exitCode = status ?? 1
  })
} else {
  console.error('usage: stock add NAME COUNT | stock audit COMMAND…')
  process.exitCode = 2
}
